//! Certificates made for the test: [`CertificateAuthority`], [`ClientIdentity`].

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

/// A certificate authority made for the test.
#[napi]
pub struct CertificateAuthority {
    pub(crate) authority: portcullis_testkit::CertificateAuthority,
}

#[napi]
impl CertificateAuthority {
    /// Makes a certificate authority with a new key.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self { authority: portcullis_testkit::CertificateAuthority::new() }
    }

    /// The authority's certificate as PEM.
    #[napi(getter)]
    pub fn pem(&self) -> String {
        self.authority.pem()
    }

    /// Issues a certificate for a client of this common name; one that expired in 2001 if `expired` is set.
    #[napi]
    pub fn client(&self, name: String, expired: bool) -> ClientIdentity {
        let identity = if expired { self.authority.expired_client(&name) } else { self.authority.client(&name) };
        ClientIdentity { identity }
    }
}

/// A client's certificate and private key.
#[napi]
pub struct ClientIdentity {
    identity: portcullis_testkit::ClientIdentity,
}

#[napi]
impl ClientIdentity {
    /// Makes a self-signed certificate.
    #[napi(factory)]
    pub fn self_signed(name: String) -> Self {
        Self { identity: portcullis_testkit::ClientIdentity::self_signed(&name) }
    }

    /// The certificate as DER.
    #[napi(getter)]
    pub fn der(&self) -> Buffer {
        self.identity.der().to_vec().into()
    }

    /// The certificate as PEM.
    #[napi(getter)]
    pub fn pem(&self) -> String {
        self.identity.pem()
    }

    /// The private key as PEM (PKCS #8).
    #[napi(getter)]
    pub fn key_pem(&self) -> String {
        self.identity.key_pem()
    }

    /// The `x5t#S256` of tokens that are bound to the certificate (RFC 8705 section 3.1).
    #[napi(getter)]
    pub fn thumbprint(&self) -> String {
        self.identity.thumbprint()
    }
}
