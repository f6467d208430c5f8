use std::fmt;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The names in a server's certificate.
const NAMES: [&str; 2] = ["127.0.0.1", "localhost"];

/// A certificate authority made for the test, for an authorization server with https.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// use portcullis_testkit::{AuthorizationServer, CertificateAuthority};
///
/// let authority = CertificateAuthority::new();
/// let server = AuthorizationServer::builder().tls(authority.clone()).start().await?;
/// assert!(server.issuer().starts_with("https://127.0.0.1:"));
/// // … let your API trust `authority.pem()` …
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct CertificateAuthority {
    issuer: Arc<CertifiedIssuer<'static, KeyPair>>,
}

impl CertificateAuthority {
    /// Makes a certificate authority with a new key.
    ///
    /// # Panics
    ///
    /// When the system gives no random bytes.
    #[must_use]
    #[expect(clippy::expect_used, reason = "fails only without randomness")]
    pub fn new() -> Self {
        let issuer = Self::try_new().expect("a certificate authority");
        Self { issuer: Arc::new(issuer) }
    }

    fn try_new() -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
        let mut params = CertificateParams::default();
        let name = &mut params.distinguished_name;
        name.push(DnType::CommonName, "Test certificate authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate()?)
    }

    /// The authority's certificate as PEM, for the trust store of the API under test.
    #[must_use]
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Accepts connections with a new certificate for [`NAMES`].
    #[expect(clippy::expect_used, reason = "the inputs are our own")]
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let (certificate, key) = self.certify().expect("a certificate for loopback");
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider serves the default versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("the key fits the certificate");
        TlsAcceptor::from(Arc::new(config))
    }

    fn certify(&self) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), rcgen::Error> {
        let key = KeyPair::generate()?;
        let params = CertificateParams::new(NAMES.map(str::to_owned))?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok((certificate.der().clone(), key.into()))
    }
}

impl Default for CertificateAuthority {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateAuthority").finish_non_exhaustive()
    }
}
