//! The thumbprint of a public key: a name that is made from its content.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::form::Form;
use crate::{
    base64url,
    crypto::{Digest, sha256},
};

/// Returns the SHA-256 thumbprint of a JWK (RFC 7638), 43 characters of base64url: the `jkt` of RFC 9449.
///
/// Returns none for a JWK of an unknown `kty` or without the required members, and for a secret (`oct`), whose thumbprint
/// would help to guess it.
///
/// # Example
///
/// The key of RFC 8037, appendix A.3:
///
/// ```
/// let key = serde_json::json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
/// assert_eq!(portcullis::jwk_thumbprint(&key).as_deref(), Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
/// ```
#[must_use]
pub fn jwk_thumbprint(jwk: &Value) -> Option<String> {
    digest(jwk).map(base64url::encode)
}

/// The thumbprint's bytes.
pub(super) fn digest(jwk: &Value) -> Option<Digest> {
    let form = Form::of(jwk.get("kty")?.as_str()?).filter(|form| !form.public.is_empty())?;
    // The required members in the order of their names (RFC 7638 section 3.3).
    let names: BTreeSet<_> = form.public.iter().copied().chain(form.set).chain(["kty"]).collect();
    let members: Option<Vec<_>> = names.into_iter().map(|name| member(jwk, name)).collect();
    Some(sha256(format!("{{{}}}", members?.join(",")).as_bytes()))
}

fn member(jwk: &Value, name: &str) -> Option<String> {
    let text = jwk.get(name)?.as_str()?;
    Some(format!("{}:{}", json!(name), json!(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbprints_are_those_of_the_rfcs() {
        // RFC 7638 section 3.1; `alg` and `kid` do not count.
        let rsa = json!({
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
        });
        // RFC 8037 appendix A.3.
        let okp = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        for (jwk, expected) in
            [(rsa, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"), (okp, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")]
        {
            assert_eq!(jwk_thumbprint(&jwk).as_deref(), Some(expected), "{jwk}");
        }
    }

    #[test]
    fn a_secret_and_an_incomplete_key_have_none() {
        for jwk in [
            json!(null),
            json!("x"),
            json!({}),
            json!({ "kty": 1 }),
            json!({ "kty": "RSA", "n": "AQ" }),
            json!({ "kty": "RSA", "n": 1, "e": "AQAB" }),
            json!({ "kty": "oct", "k": "AAECAwQFBgcICQoLDA0ODw" }),
        ] {
            assert_eq!(jwk_thumbprint(&jwk), None, "{jwk}");
        }
    }
}
