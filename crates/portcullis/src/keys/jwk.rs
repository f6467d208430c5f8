//! One JWK to one [`VerificationKey`] (RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2).

use serde_json::Value;

use super::{KeyProblem, Origin, VerificationKey};
use crate::{
    algorithm::{Algorithm, KeyType},
    base64url,
    crypto::KeyMaterial,
};

type Object = serde_json::Map<String, Value>;

/// Imports a JWK; where it comes from decides whether it may be a secret.
pub(super) fn import(jwk: &Value, origin: Origin) -> Result<VerificationKey, KeyProblem> {
    let jwk = jwk.as_object().ok_or(KeyProblem::NotAnObject)?;
    let kid = optional_text(jwk, "kid")?;
    let key_type = key_type(jwk)?;
    if origin == Origin::Remote && (key_type == KeyType::Secret || jwk.contains_key("d")) {
        return Err(KeyProblem::Published);
    }
    check_purpose(jwk)?;
    let material = material(jwk, key_type, &algorithms(jwk, key_type)?)?;
    Ok(VerificationKey::new(kid, material))
}

/// The `kid` of a JWK that may be bad in any other way.
pub(super) fn kid(jwk: &Value) -> Option<&str> {
    jwk.get("kid")?.as_str()
}

fn key_type(jwk: &Object) -> Result<KeyType, KeyProblem> {
    let curve = optional_text(jwk, "crv")?;
    match (required_text(jwk, "kty")?, curve) {
        ("RSA", _) => Ok(KeyType::Rsa),
        ("EC", Some("P-256")) => Ok(KeyType::P256),
        ("EC", Some("P-384")) => Ok(KeyType::P384),
        ("EC", Some("P-521")) => Ok(KeyType::P521),
        ("OKP", Some("Ed25519")) => Ok(KeyType::Ed25519),
        ("oct", _) => Ok(KeyType::Secret),
        _ => Err(KeyProblem::UnknownType),
    }
}

/// `use` and `key_ops` are honoured where they stand (RFC 7517 sections 4.2 and 4.3).
fn check_purpose(jwk: &Object) -> Result<(), KeyProblem> {
    if optional_text(jwk, "use")?.is_some_and(|purpose| purpose != "sig") {
        return Err(KeyProblem::NotForVerifying);
    }
    match jwk.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(operations)) if operations.iter().any(|operation| operation == "verify") => Ok(()),
        Some(Value::Array(_)) => Err(KeyProblem::NotForVerifying),
        Some(_) => Err(KeyProblem::Member { name: "key_ops", expected: "an array of strings" }),
    }
}

/// The algorithms that the key is bound to: the one of its `alg`, else all of its type.
fn algorithms(jwk: &Object, key_type: KeyType) -> Result<Vec<Algorithm>, KeyProblem> {
    let possible = Algorithm::of(key_type);
    let Some(name) = optional_text(jwk, "alg")? else { return Ok(possible) };
    let named = Algorithm::from_name(name).filter(|algorithm| possible.contains(algorithm));
    named.map(|algorithm| vec![algorithm]).ok_or(KeyProblem::Algorithm)
}

fn material(jwk: &Object, key_type: KeyType, algorithms: &[Algorithm]) -> Result<KeyMaterial, KeyProblem> {
    match key_type {
        KeyType::Rsa => KeyMaterial::rsa(&bytes(jwk, "n")?, &bytes(jwk, "e")?, algorithms),
        KeyType::P256 | KeyType::P384 | KeyType::P521 => {
            KeyMaterial::point(&uncompressed_point(jwk, key_type)?, key_type, algorithms)
        }
        KeyType::Ed25519 => KeyMaterial::point(&ed25519_bytes(jwk)?, key_type, algorithms),
        KeyType::Secret => KeyMaterial::secret(&bytes(jwk, "k")?, algorithms),
    }
}

/// `0x04 || x || y` (SEC 1 section 2.3.3); each coordinate in its full length (RFC 7518 section 6.2.1.2).
fn uncompressed_point(jwk: &Object, key_type: KeyType) -> Result<Vec<u8>, KeyProblem> {
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    let length = key_type.coordinate_bytes();
    if length != Some(x.len()) || length != Some(y.len()) {
        return Err(KeyProblem::Member { name: "x, y", expected: "as long as a coordinate of the curve" });
    }
    Ok([&[4], x.as_slice(), y.as_slice()].concat())
}

fn ed25519_bytes(jwk: &Object) -> Result<Vec<u8>, KeyProblem> {
    let x = bytes(jwk, "x")?;
    if x.len() == 32 { Ok(x) } else { Err(KeyProblem::Member { name: "x", expected: "32 bytes long" }) }
}

fn bytes(jwk: &Object, name: &'static str) -> Result<Vec<u8>, KeyProblem> {
    let text = required_text(jwk, name)?;
    base64url::decode(text).ok_or(KeyProblem::Member { name, expected: "base64url without padding" })
}

fn required_text<'a>(jwk: &'a Object, name: &'static str) -> Result<&'a str, KeyProblem> {
    optional_text(jwk, name)?.ok_or(KeyProblem::Member { name, expected: "present" })
}

fn optional_text<'a>(jwk: &'a Object, name: &'static str) -> Result<Option<&'a str>, KeyProblem> {
    match jwk.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(KeyProblem::Member { name, expected: "a string" }),
    }
}
