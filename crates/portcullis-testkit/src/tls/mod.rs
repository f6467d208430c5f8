//! Certificates made for the test.

mod identity;

use std::fmt;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

pub use identity::ClientIdentity;

/// The names in a server's certificate.
const NAMES: [&str; 2] = ["127.0.0.1", "localhost"];

/// A certificate authority made for the test, for an authorization server with https and for clients with certificates.
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

    /// The authority's certificate as DER.
    #[must_use]
    pub fn der(&self) -> Vec<u8> {
        self.issuer.der().to_vec()
    }

    /// Issues a certificate for a client of this common name, with a new key on P-256.
    ///
    /// # Panics
    ///
    /// When the system gives no random bytes.
    #[must_use]
    pub fn client(&self, name: &str) -> ClientIdentity {
        self.issue(name, &client_params(name))
    }

    /// Issues a certificate that expired in 2001.
    ///
    /// # Panics
    ///
    /// When the system gives no random bytes.
    #[must_use]
    pub fn expired_client(&self, name: &str) -> ClientIdentity {
        let mut params = client_params(name);
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(2001, 1, 1);
        self.issue(name, &params)
    }

    #[expect(clippy::expect_used, reason = "fails only without randomness")]
    fn issue(&self, name: &str, params: &CertificateParams) -> ClientIdentity {
        let key = KeyPair::generate().expect("a key for a client");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate for a client");
        ClientIdentity::new(name, &certificate, &key)
    }

    /// Accepts connections with a new certificate for [`NAMES`], and asks for a certificate of `clients`.
    pub(crate) fn acceptor(&self, clients: Option<&Self>) -> TlsAcceptor {
        self.acceptor_for(&NAMES.map(str::to_owned), clients)
    }

    /// Accepts connections with a new certificate for these names.
    #[expect(clippy::expect_used, reason = "the inputs are our own")]
    pub(crate) fn acceptor_for(&self, names: &[String], clients: Option<&Self>) -> TlsAcceptor {
        let (certificate, key) = self.certify(names).expect("a certificate for these names");
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider serves the default versions")
            .with_client_cert_verifier(clients.map_or_else(WebPkiClientVerifier::no_client_auth, Self::verifier))
            .with_single_cert(vec![certificate], key)
            .expect("the key fits the certificate");
        TlsAcceptor::from(Arc::new(config))
    }

    /// Verifies client certificates of this authority; a client may have none.
    #[expect(clippy::expect_used, reason = "the inputs are our own")]
    fn verifier(&self) -> Arc<dyn ClientCertVerifier> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).expect("a certificate of our own");
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        verifier.allow_unauthenticated().build().expect("one root")
    }

    fn certify(&self, names: &[String]) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), rcgen::Error> {
        let key = KeyPair::generate()?;
        let params = CertificateParams::new(names)?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok((certificate.der().clone(), key.into()))
    }
}

fn client_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
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
