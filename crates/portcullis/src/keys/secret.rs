//! Secrets shared with an authorization server.

use super::{KeyProblem, Notation, without_byte_order_mark};
use crate::{algorithm::Algorithm, base64url, crypto::KeyMaterial};

/// Imports a secret for these algorithms, unless its bytes are a key themselves: with a public key as a secret, everyone could sign.
pub(crate) fn secret(bytes: &[u8], algorithms: &[Algorithm]) -> Result<KeyMaterial, KeyProblem> {
    match key_in(bytes) {
        Some(notation) => Err(KeyProblem::KeyAsSecret(notation)),
        None => Ok(KeyMaterial::secret(bytes, algorithms)?),
    }
}

/// The notation of the key that these bytes are; none for bytes that may be a secret.
///
/// The type of the key does not matter: everyone knows a public key, also one by which no token can be verified.
fn key_in(bytes: &[u8]) -> Option<Notation> {
    match Notation::of(bytes) {
        Notation::Der => is_der_of_key(bytes).then_some(Notation::Der),
        // Base64 is a common form of secrets, too.
        Notation::Text => {
            let text = std::str::from_utf8(without_byte_order_mark(bytes)).ok()?;
            base64url::decode_any(text).filter(|der| is_der_of_key(der)).map(|_| Notation::Der)
        }
        key @ (Notation::Certificate | Notation::PublicKey | Notation::PrivateKey | Notation::Ssh) => Some(key),
        key @ (Notation::Jwk | Notation::JwkSet | Notation::PemMap) => Some(key),
        _ => None,
    }
}

/// Tells whether the bytes are one sequence that begins as keys and certificates do: with a sequence or a number. Of random secrets, one in
/// millions is.
fn is_der_of_key(bytes: &[u8]) -> bool {
    let (length, content) = match bytes {
        [0x30, length @ ..=0x7f, content @ ..] => (usize::from(*length), content),
        [0x30, 0x81, length, content @ ..] => (usize::from(*length), content),
        [0x30, 0x82, high, low, content @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), content),
        _ => return false,
    };
    content.len() == length && matches!(content, [0x30 | 0x02, ..])
}
