//! The client's certificate: [`ClientCertificate`].

use std::fmt;

use crate::crypto::{Digest, sha256};

/// The certificate by which a client authenticated its TLS connection (RFC 8705), as the SHA-256 of its DER.
///
/// The end of the TLS connection has checked that the client holds its key. Nothing else of it counts: the token names the
/// certificate (`x5t#S256`), and the token's issuer vouches for that.
///
/// # Example
///
/// ```
/// use portcullis::ClientCertificate;
///
/// fn certificate<B>(request: &mut http::Request<B>, der: &[u8]) {
///     // A layer of your server knows the connection's certificate; `Secure` finds it in the extensions.
///     request.extensions_mut().insert(ClientCertificate::from_der(der));
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ClientCertificate {
    sha256: Digest,
}

impl ClientCertificate {
    /// The certificate with this DER.
    #[must_use]
    pub fn from_der(der: &[u8]) -> Self {
        Self { sha256: sha256(der) }
    }

    /// Tells whether this is the certificate with this thumbprint (`x5t#S256`).
    pub(super) fn is(&self, thumbprint: &Digest) -> bool {
        self.sha256 == *thumbprint
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate")
    }
}
