use serde_json::{Map, Value};

use super::material::Material;
use crate::algorithm::{Algorithm, Family};
use crate::der;
use crate::encoding::{base64url, sha256_base64url};

/// The JWK of `material`'s public half (RFC 7517, RFC 7518 section 6, RFC 8037 section 2, RFC 9964 section 3).
pub(super) fn public(kid: &str, algorithm: Algorithm, material: &Material) -> Value {
    let common = [("kid", kid), ("alg", algorithm.name()), ("use", "sig")];
    let mut jwk: Map<String, Value> = common.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    for (name, value) in parameters(algorithm.family(), material.public_bytes()) {
        jwk.insert(name.to_owned(), value.into());
    }
    Value::Object(jwk)
}

/// The thumbprint of a JWK in base64url (RFC 7638; RFC 9964 section 6 for ML-DSA); `None` for an unknown `kty` or a missing member.
pub(crate) fn thumbprint(jwk: &Value) -> Option<String> {
    let members: &[&str] = match jwk.get("kty")?.as_str()? {
        "RSA" => &["e", "kty", "n"],
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "AKP" => &["alg", "kty", "pub"],
        "oct" => &["k", "kty"],
        _ => return None,
    };
    // Written by hand, since the order of a JSON object's members depends on a feature of serde_json.
    let member = |name: &&str| Some(format!("\"{name}\":{}", jwk.get(name)?));
    let members: Option<Vec<String>> = members.iter().map(member).collect();
    Some(sha256_base64url(format!("{{{}}}", members?.join(",")).as_bytes()))
}

fn parameters(family: Family, public: &[u8]) -> Vec<(&'static str, String)> {
    match family {
        Family::Rsa => rsa(public),
        Family::P256 => ec("P-256", public),
        Family::P384 => ec("P-384", public),
        Family::P521 => ec("P-521", public),
        Family::Ed25519 => vec![("kty", "OKP".into()), ("crv", "Ed25519".into()), ("x", base64url(public))],
        // `alg`, which names the parameter set, is among the common members.
        Family::MlDsa44 | Family::MlDsa65 | Family::MlDsa87 => vec![("kty", "AKP".into()), ("pub", base64url(public))],
        Family::Secret => vec![("kty", "oct".into()), ("k", base64url(public))],
    }
}

fn rsa(pkcs1: &[u8]) -> Vec<(&'static str, String)> {
    let numbers = der::read_unsigned_sequence(pkcs1).unwrap_or_default();
    let mut parameters = vec![("kty", "RSA".to_owned())];
    parameters.extend(["n", "e"].into_iter().zip(numbers.iter().map(base64url)));
    parameters
}

/// Splits an uncompressed point, 0x04 and two coordinates of equal length.
fn ec(curve: &str, point: &[u8]) -> Vec<(&'static str, String)> {
    let coordinates = point.get(1..).unwrap_or_default();
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    vec![("kty", "EC".into()), ("crv", curve.into()), ("x", base64url(x)), ("y", base64url(y))]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_thumbprint_of_rfc_7638_section_3_1() {
        let jwk = json!({
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB",
            "alg": "RS256",
            "kid": "2011-04-29",
        });
        assert_eq!(thumbprint(&jwk).as_deref(), Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
    }

    #[test]
    fn only_a_whole_jwk_has_a_thumbprint() {
        for jwk in [json!({}), json!({ "kty": "EC", "crv": "P-256", "x": "AA" }), json!({ "kty": "new" }), json!("EC")]
        {
            assert_eq!(thumbprint(&jwk), None);
        }
    }
}
