//! The algorithms that tokens may be signed by with a key.

use portcullis::{Algorithm, JwkSet};
use serde_json::Value;

const RSA: [Algorithm; 6] =
    [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::PS384, Algorithm::PS512];

/// Returns the algorithms of a JWK: its `alg`, or those for its type; none for a type that is not known.
pub(crate) fn algorithms_of(key: &Value) -> Vec<Algorithm> {
    let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default();
    if let Ok(algorithm) = text("alg").parse() {
        return vec![algorithm];
    }
    match (text("kty"), text("crv")) {
        (_, "P-256") => vec![Algorithm::ES256],
        (_, "P-384") => vec![Algorithm::ES384],
        (_, "P-521") => vec![Algorithm::ES512],
        (_, "Ed25519") => vec![Algorithm::EdDSA],
        ("RSA", _) => RSA.to_vec(),
        ("oct", _) => Algorithm::SYMMETRIC.to_vec(),
        _ => Vec::new(),
    }
}

/// Returns the algorithms of the usable keys of a local set, each once; none if they cannot be told, as for PEM.
pub(super) fn of_local_set(text: &[u8]) -> Option<Vec<Algorithm>> {
    // A file may hold one key without a set around it.
    let set = JwkSet::from_slice(text)
        .or_else(|_| JwkSet::from_slice(&[b"{\"keys\":[".as_slice(), text, b"]}"].concat()))
        .ok()?;
    let mut all = Vec::new();
    for (key, _) in set.local_keys().filter(|(_, judged)| judged.is_ok()) {
        let algorithms = algorithms_of(key);
        if algorithms.is_empty() {
            return None;
        }
        all.extend(algorithms.into_iter().filter(|algorithm| !all.contains(algorithm)).collect::<Vec<_>>());
    }
    Some(all).filter(|all| !all.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_algorithms_are_those_of_the_key() {
        for (key, expected) in [
            (json!({ "kty": "RSA", "alg": "PS256" }), &[Algorithm::PS256][..]),
            (json!({ "kty": "RSA" }), &RSA),
            (json!({ "kty": "EC", "crv": "P-384" }), &[Algorithm::ES384]),
            (json!({ "kty": "OKP", "crv": "Ed25519", "alg": "" }), &[Algorithm::EdDSA]),
            (json!({ "kty": "OKP", "crv": "Ed25519", "alg": "Ed25519" }), &[Algorithm::EdDSA]),
            (json!({ "kty": "oct" }), Algorithm::SYMMETRIC),
            (json!({ "kty": "oct", "alg": "HS512" }), &[Algorithm::HS512]),
            (json!({ "kty": 1 }), &[]),
        ] {
            assert_eq!(algorithms_of(&key), expected, "{key}");
        }
    }
}
