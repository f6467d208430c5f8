//! Keys from an operator's own text, in any common form.

use super::{ImportRules, JwkSet, KeyProblem, KeySet, NotAJwkSet, Notation, keys_from_pem};

/// The reason that a text gives no keys.
pub(crate) enum Unreadable {
    NotAJwkSet(NotAJwkSet),
    Key(KeyProblem),
}

/// Reads the keys of a JWK Set, of one JWK, of PEM, of its base64 alone, or of DER.
pub(crate) fn keys_from_text(text: &[u8], rules: &ImportRules) -> Result<KeySet, Unreadable> {
    match Notation::of(text) {
        Notation::Jwk => {
            let jwk = super::without_byte_order_mark(text);
            let set = [br#"{"keys":["#.as_slice(), jwk, b"]}"].concat();
            from_jwk_set(&set, rules)
        }
        Notation::Certificate | Notation::PublicKey | Notation::PrivateKey | Notation::Der | Notation::Ssh => {
            from_pem(text, rules)
        }
        // Base64 without its frame; for any other text, the error is that of a JWK Set.
        Notation::Text => from_pem(text, rules).or_else(|_| from_jwk_set(text, rules)),
        _ => from_jwk_set(text, rules),
    }
}

fn from_jwk_set(text: &[u8], rules: &ImportRules) -> Result<KeySet, Unreadable> {
    let document = JwkSet::from_slice(text).map_err(Unreadable::NotAJwkSet)?;
    Ok(KeySet::import(&document, rules))
}

fn from_pem(text: &[u8], rules: &ImportRules) -> Result<KeySet, Unreadable> {
    let keys = keys_from_pem(text).map_err(Unreadable::Key)?;
    Ok(KeySet::new(keys, rules.origin))
}
