//! The certificate that a client presented in mutual TLS: [`ClientCertificate`].

mod fields;
#[cfg(test)]
mod tests;

use std::fmt;

use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::{
    base64url,
    crypto::{Digest, sha256},
};

/// The boundaries of a certificate in PEM.
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The certificate that a client presented in mutual TLS: its SHA-256, by which a token is bound to it (`x5t#S256`, RFC 8705
/// section 3.1).
///
/// TLS proved that the client has the key. The certificate is not parsed: its names, times and issuer have no part in the binding
/// (RFC 8705 section 6.2), and other bytes have another SHA-256.
///
/// [`Secure`](crate::Secure) finds it in the extensions of a request: insert it there in a layer around it. On a connection of your
/// own server, that is `axum::Extension(certificate)` (`examples/axum/examples/mutual_tls.rs`); with actix-web,
/// `HttpServer::on_connect` may insert it for the connection.
///
/// Behind a proxy, read it from the field that the proxy sets. Be sure that the proxy replaces this field in each request, also
/// where the client has no certificate, and that nobody else reaches your server.
///
/// # Example
///
/// ```
/// use portcullis::ClientCertificate;
///
/// # let der = [0x30, 0x03, 0x02, 0x01, 0x05];
/// // From your own TLS listener (rustls: `connection.peer_certificates()`, the first one):
/// let certificate = ClientCertificate::from_der(&der);
/// // From the field of a proxy:
/// assert_eq!(ClientCertificate::from_rfc9440(b":MAMCAQU=:")?, certificate);
/// assert_eq!(certificate.thumbprint(), "QXx3Y8TjIKa3R7PLDG0i-TdBspoytIWUuOtMFE_m1yk");
/// # Ok::<(), portcullis::MalformedClientCertificate>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ClientCertificate {
    sha256: Digest,
}

/// The reason why a text is no client certificate. It shows nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedClientCertificate {
    expected: &'static str,
}

impl ClientCertificate {
    /// The certificate with this DER (RFC 5280 section 4.1).
    #[must_use]
    pub fn from_der(der: &[u8]) -> Self {
        Self { sha256: sha256(der) }
    }

    /// The certificate with this SHA-256 of its DER.
    #[must_use]
    pub const fn with_sha256(sha256: [u8; 32]) -> Self {
        Self { sha256 }
    }

    /// Reads PEM (RFC 7468 section 5): one certificate, or a chain, whose first one is the client's (RFC 8446 section 4.4.2).
    ///
    /// # Errors
    ///
    /// If the text is empty, or has anything but certificates in it.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::ClientCertificate;
    ///
    /// let pem = "-----BEGIN CERTIFICATE-----\nMAMCAQU=\n-----END CERTIFICATE-----\n";
    /// assert!(ClientCertificate::from_pem(pem).is_ok());
    /// assert!(ClientCertificate::from_pem("MAMCAQU=").is_err());
    /// ```
    pub fn from_pem(pem: &str) -> Result<Self, MalformedClientCertificate> {
        let malformed = MalformedClientCertificate { expected: "certificates in PEM, the client's first" };
        // The reader skips text outside of sections.
        let mut sections = pem.split(END).map(str::trim_ascii);
        if !sections.all(|section| section.is_empty() || section.starts_with(BEGIN)) {
            return Err(malformed);
        }
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        let chain = chain.map_err(|_| malformed)?;
        chain.first().ok_or(malformed).and_then(|der| Self::from_field_der(der))
    }

    /// The SHA-256 in base64url: the `x5t#S256` of a token that is bound to the certificate (RFC 8705 section 3.1).
    #[must_use]
    pub fn thumbprint(&self) -> String {
        base64url::encode(self.sha256)
    }

    /// Tells whether this is the certificate with this thumbprint (`x5t#S256`).
    pub(super) fn is(&self, thumbprint: &Digest) -> bool {
        self.sha256 == *thumbprint
    }

    /// The same of the DER that was found in a text. Anything but a SEQUENCE shows that the text is in another notation.
    fn from_field_der(der: &[u8]) -> Result<Self, MalformedClientCertificate> {
        const SEQUENCE: u8 = 0x30;
        match der.first() {
            Some(&SEQUENCE) => Ok(Self::from_der(der)),
            _ => Err(MalformedClientCertificate { expected: "a certificate in DER" }),
        }
    }
}

/// Shows nothing of the certificate: its thumbprint is the value of a claim.
impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate").finish_non_exhaustive()
    }
}

impl fmt::Display for MalformedClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, got something else", self.expected)
    }
}

impl std::error::Error for MalformedClientCertificate {}
