//! Signing keys: [`SigningKey`].

use napi::Result;
use napi_derive::napi;

use crate::options::{algorithm, invalid};

/// A private key with its id and algorithm.
#[napi]
pub struct SigningKey {
    pub(crate) key: portcullis_testkit::SigningKey,
}

#[napi]
impl SigningKey {
    /// Makes a new random key.
    #[napi(factory)]
    pub fn generate(alg: String, kid: String) -> Result<Self> {
        Ok(Self { key: portcullis_testkit::SigningKey::generate(algorithm(&alg)?, kid) })
    }

    /// The key id.
    #[napi(getter)]
    pub fn kid(&self) -> String {
        self.key.kid().to_owned()
    }

    /// The algorithm.
    #[napi(getter)]
    pub fn alg(&self) -> &'static str {
        self.key.algorithm().name()
    }

    /// The public key as a JWK, in JSON; of an HS key, the secret.
    #[napi(getter)]
    pub fn public_jwk(&self) -> String {
        self.key.public_jwk().to_string()
    }

    /// The public key as PEM.
    #[napi(getter)]
    pub fn public_pem(&self) -> Result<String> {
        if self.alg().starts_with("HS") {
            return Err(invalid("expected a key with a public half, got a secret".to_owned()));
        }
        Ok(self.key.public_pem())
    }

    /// The SHA-256 thumbprint of the public JWK (RFC 7638).
    #[napi(getter)]
    pub fn thumbprint(&self) -> String {
        self.key.thumbprint()
    }
}
