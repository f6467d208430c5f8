use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rcgen::{Certificate, KeyPair};

use super::client_params;
use crate::encoding::{base64, pem, sha256_base64url};

/// The characters that nginx escapes in `$ssl_client_escaped_cert`: all but unreserved ones.
const NGINX: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The characters of a PEM text that Envoy escapes.
const ENVOY: &AsciiSet = &percent_encoding::CONTROLS.add(b' ').add(b'+').add(b'/').add(b'=');

/// A client's certificate and private key, for mutual TLS and tokens that are bound to the certificate ([RFC 8705]).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use portcullis_testkit::{AuthorizationServer, CertificateAuthority};
///
/// let server = AuthorizationServer::start().await;
/// let client = CertificateAuthority::new().client("my-client");
/// let token = server.token().bound_to_certificate(client.thumbprint()).sign();
/// // … send the token over a connection with `client.pem()` and `client.key_pem()`,
/// // or to an API behind nginx, with the field that nginx writes:
/// let field = client.escaped_pem();
/// assert!(field.starts_with("-----BEGIN%20CERTIFICATE-----%0A"));
/// # }
/// ```
///
/// [RFC 8705]: https://www.rfc-editor.org/rfc/rfc8705
#[derive(Clone)]
pub struct ClientIdentity {
    name: String,
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl ClientIdentity {
    pub(super) fn new(name: &str, certificate: &Certificate, key: &KeyPair) -> Self {
        Self { name: name.to_owned(), certificate: certificate.der().to_vec(), key: key.serialize_der() }
    }

    /// Makes a self-signed certificate, which no authority vouches for ([RFC 8705 section 2.2]).
    ///
    /// # Panics
    ///
    /// When the system gives no random bytes.
    ///
    /// [RFC 8705 section 2.2]: https://www.rfc-editor.org/rfc/rfc8705#section-2.2
    #[must_use]
    #[expect(clippy::expect_used, reason = "fails only without randomness")]
    pub fn self_signed(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key for a client");
        let certificate = client_params(name).self_signed(&key).expect("a self-signed certificate");
        Self::new(name, &certificate, &key)
    }

    /// The certificate as DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.certificate
    }

    /// The certificate as PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }

    /// The private key as DER, in the form of PKCS #8.
    #[must_use]
    pub fn key_der(&self) -> &[u8] {
        &self.key
    }

    /// The private key as PEM, in the form of PKCS #8.
    #[must_use]
    pub fn key_pem(&self) -> String {
        pem("PRIVATE KEY", &self.key)
    }

    /// The certificate's thumbprint: the `x5t#S256` of tokens that are bound to it ([RFC 8705 section 3.1]).
    ///
    /// [RFC 8705 section 3.1]: https://www.rfc-editor.org/rfc/rfc8705#section-3.1
    #[must_use]
    pub fn thumbprint(&self) -> String {
        sha256_base64url(&self.certificate)
    }

    /// The PEM text as nginx writes it for `$ssl_client_escaped_cert`: percent-encoded but for unreserved characters.
    #[must_use]
    pub fn escaped_pem(&self) -> String {
        utf8_percent_encode(&self.pem(), NGINX).to_string()
    }

    /// The PEM text as Envoy writes it in `source.certificate` of ext_authz and in `Cert` of XFCC.
    #[must_use]
    pub fn envoy_pem(&self) -> String {
        utf8_percent_encode(&self.pem(), ENVOY).to_string()
    }

    /// The DER in base64, as Traefik writes it in `X-Forwarded-Tls-Client-Cert`, and Caddy and HAProxy for a field of your choice.
    #[must_use]
    pub fn base64_der(&self) -> String {
        base64(&self.certificate)
    }

    /// The value of the field `Client-Cert` ([RFC 9440 section 2.1]).
    ///
    /// [RFC 9440 section 2.1]: https://www.rfc-editor.org/rfc/rfc9440#section-2.1
    #[must_use]
    pub fn client_cert_field(&self) -> String {
        format!(":{}:", self.base64_der())
    }

    /// The value of Envoy's `X-Forwarded-Client-Cert`, with `Hash`, `Cert` and `Subject`.
    #[must_use]
    pub fn xfcc(&self) -> String {
        let hash = digest(&SHA256, &self.certificate);
        let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("Hash={hash};Cert=\"{}\";Subject=\"CN={}\"", self.envoy_pem(), self.name)
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentity").field("name", &self.name).finish_non_exhaustive()
    }
}
