//! Secrets shared with an authorization server.

use super::{KeyProblem, Notation, keys_from_pem};
use crate::{algorithm::Algorithm, crypto::KeyMaterial};

/// Imports a secret for these algorithms, unless its bytes are a key themselves: with a public key as a secret, everyone could sign.
pub(crate) fn secret(bytes: &[u8], algorithms: &[Algorithm]) -> Result<KeyMaterial, KeyProblem> {
    match key_in(bytes) {
        Some(notation) => Err(KeyProblem::KeyAsSecret(notation)),
        None => Ok(KeyMaterial::secret(bytes, algorithms)?),
    }
}

/// The notation of the key that these bytes are; none for bytes that may be a secret.
fn key_in(bytes: &[u8]) -> Option<Notation> {
    match Notation::of(bytes) {
        // A secret may begin as DER by chance, and base64 is a common form of secrets: only a whole key counts.
        Notation::Der | Notation::Text => {
            matches!(keys_from_pem(bytes), Ok(_) | Err(KeyProblem::PrivateKey)).then_some(Notation::Der)
        }
        key @ (Notation::Certificate | Notation::PublicKey | Notation::PrivateKey | Notation::Ssh) => Some(key),
        key @ (Notation::Jwk | Notation::JwkSet | Notation::PemMap) => Some(key),
        _ => None,
    }
}
