use serde_json::{Map, Value};

use super::material::Material;
use crate::algorithm::{Algorithm, Family};
use crate::der;
use crate::encoding::base64url;

/// The JWK of `material`'s public half (RFC 7517, RFC 7518 section 6, RFC 8037 section 2, RFC 9964 section 3).
pub(super) fn public(kid: &str, algorithm: Algorithm, material: &Material) -> Value {
    let common = [("kid", kid), ("alg", algorithm.name()), ("use", "sig")];
    let mut jwk: Map<String, Value> = common.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    for (name, value) in parameters(algorithm.family(), material.public_bytes()) {
        jwk.insert(name.to_owned(), value.into());
    }
    Value::Object(jwk)
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
