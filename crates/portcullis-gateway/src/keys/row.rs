//! One key: its members, and the library's verdict on it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis::{KeyOddity, KeyProblem, jwk_thumbprint};
use serde::Serialize;
use serde_json::Value;

/// One key of a set; absent members are none.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Row {
    pub(super) kid: Option<String>,
    pub(super) kty: Option<String>,
    pub(super) alg: Option<String>,
    /// Bits of an RSA modulus or of a secret, the curve, or the parameter set.
    pub(super) size: Option<String>,
    #[serde(rename = "use")]
    pub(super) purpose: Option<String>,
    /// The thumbprint (RFC 7638, SHA-256); none for a secret, which it would help to guess.
    pub(super) thumbprint: Option<String>,
    usable: bool,
    /// The reason why it is not used.
    pub(super) problem: Option<String>,
    /// The oddities of a key that is used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) warnings: Vec<String>,
}

impl Row {
    pub(super) fn new(key: &Value, judged: Result<Vec<KeyOddity>, KeyProblem>) -> Self {
        let text = |name: &str| key.get(name)?.as_str().map(str::to_owned);
        Self {
            kid: text("kid"),
            kty: text("kty"),
            alg: text("alg"),
            size: size(key),
            purpose: text("use"),
            thumbprint: jwk_thumbprint(key),
            usable: judged.is_ok(),
            problem: judged.as_ref().err().map(ToString::to_string),
            warnings: judged.unwrap_or_default().iter().map(ToString::to_string).collect(),
        }
    }

    /// Returns the row of a key in a PEM file, which has no members.
    pub(super) fn of_pem() -> Self {
        Self { kty: Some("PEM".to_owned()), usable: true, ..Self::default() }
    }

    pub(super) fn is_usable(&self) -> bool {
        self.usable
    }
}

fn size(key: &Value) -> Option<String> {
    let text = |name: &str| key.get(name)?.as_str();
    match text("kty")? {
        "RSA" => Some(format!("{} bits", bits(&URL_SAFE_NO_PAD.decode(text("n")?).ok()?))),
        "oct" => Some(format!("{} bits", 8 * URL_SAFE_NO_PAD.decode(text("k")?).ok()?.len())),
        "AKP" => text("alg").map(str::to_owned),
        _ => text("crv").map(str::to_owned),
    }
}

/// Counts the bits of a big-endian number.
fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let highest = number.get(zeros).map_or(0, |byte| byte.leading_zeros() as usize);
    8 * (number.len() - zeros) - highest
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 7638 section 3.1.
    #[test]
    fn size_and_thumbprint_are_those_of_the_key() {
        let key = json!({
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
        });
        let row = Row::new(&key, Ok(Vec::new()));
        assert_eq!(row.thumbprint.as_deref(), Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
        assert_eq!(row.size.as_deref(), Some("2048 bits"));
    }

    #[test]
    fn what_is_no_key_makes_a_row_all_the_same() {
        for key in [json!(null), json!("x"), json!({}), json!({ "kty": 1 }), json!({ "kty": "RSA", "n": "!" })] {
            let row = Row::new(&key, Err(KeyProblem::NotAnObject));
            assert_eq!((row.size, row.thumbprint, row.usable), (None, None, false), "{key}");
        }
        let secret = json!({ "kty": "oct", "k": "AAECAwQFBgcICQoLDA0ODw" });
        assert_eq!(Row::new(&secret, Ok(Vec::new())).thumbprint, None);
        assert_eq!(size(&secret).as_deref(), Some("128 bits"));
        assert_eq!(bits(&[0, 1, 0]), 9);
        assert_eq!(bits(&[]), 0);
    }
}
