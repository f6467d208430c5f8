//! One key: what it says of itself, what we make of it.

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis::{KeyOddity, KeyProblem};
use serde::Serialize;
use serde_json::Value;

/// One key of a set; what it does not say is none.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Row {
    pub(super) kid: Option<String>,
    pub(super) kty: Option<String>,
    pub(super) alg: Option<String>,
    /// Bits of an RSA modulus, or the curve.
    pub(super) size: Option<String>,
    #[serde(rename = "use")]
    pub(super) purpose: Option<String>,
    /// RFC 7638, by SHA-256; none of a secret, which it would help to guess.
    pub(super) thumbprint: Option<String>,
    usable: bool,
    /// Why it is not used.
    pub(super) problem: Option<String>,
    /// Its oddities, though it is used.
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
            thumbprint: thumbprint(key),
            usable: judged.is_ok(),
            problem: judged.as_ref().err().map(ToString::to_string),
            warnings: judged.unwrap_or_default().iter().map(ToString::to_string).collect(),
        }
    }

    /// A key of a PEM file: it was read, and says nothing of itself.
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
        _ => text("crv").map(str::to_owned),
    }
}

/// The bits of a number, in bytes with the highest first.
fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let highest = number.get(zeros).map_or(0, |byte| byte.leading_zeros() as usize);
    8 * (number.len() - zeros) - highest
}

/// The SHA-256 of the members that make the key, in the order of their names (RFC 7638 section 3, RFC 8037 section 2).
fn thumbprint(key: &Value) -> Option<String> {
    let members: &[&str] = match key.get("kty")?.as_str()? {
        "RSA" => &["e", "kty", "n"],
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        _ => return None,
    };
    let texts: Option<Vec<String>> = members.iter().map(|name| member(name, key)).collect();
    let input = format!("{{{}}}", texts?.join(","));
    Some(URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, input.as_bytes())))
}

fn member(name: &str, key: &Value) -> Option<String> {
    let value = Value::String(key.get(name)?.as_str()?.to_owned());
    Some(format!("\"{name}\":{value}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 7638 section 3.1.
    #[test]
    fn the_thumbprint_is_that_of_the_rfc() {
        let key = json!({
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
        });
        let row = Row::new(&key, Ok(Vec::new()));
        assert_eq!(row.thumbprint.as_deref(), Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
        assert_eq!(row.size.as_deref(), Some("2048 bits"));
    }

    /// RFC 8037 appendix A.3.
    #[test]
    fn the_thumbprint_of_an_octet_key_pair_too() {
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        assert_eq!(thumbprint(&key).as_deref(), Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
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
