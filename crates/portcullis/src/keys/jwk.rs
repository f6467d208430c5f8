//! One JWK to one [`VerificationKey`] (RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2, RFC 9964 section 3).

use serde_json::Value;

use super::{ImportRules, KeyOddity, KeyProblem, Origin, VerificationKey, form::Form, members::Members};
use crate::{
    algorithm::{Algorithm, KeyType},
    crypto::KeyMaterial,
};

/// Imports a JWK; the rules decide whether it may be a secret, and its permitted `use`.
pub(super) fn import(jwk: &Value, rules: &ImportRules) -> Result<(VerificationKey, Vec<KeyOddity>), KeyProblem> {
    let mut jwk = Members::of(jwk)?;
    let kid = jwk.kid()?;
    let key_type = key_type(&jwk)?;
    let is_private = key_type == KeyType::Secret || Form::private_members().any(|name| jwk.get(name).is_some());
    if rules.origin == Origin::Remote && is_private {
        return Err(KeyProblem::Published);
    }
    check_purpose(&jwk, rules)?;
    let algorithms = algorithms(&jwk, key_type)?;
    let material = material(&mut jwk, key_type, &algorithms)?;
    let issuer = jwk.issuer()?;
    Ok((VerificationKey::new(kid, material).of_issuer(issuer), jwk.into_oddities()))
}

/// The `kid` of a JWK that may be otherwise invalid.
pub(super) fn kid(jwk: &Value) -> Option<&str> {
    jwk.get("kid")?.as_str().filter(|kid| !kid.is_empty())
}

pub(super) fn key_type(jwk: &Members<'_>) -> Result<KeyType, KeyProblem> {
    let kty = jwk.required_text("kty")?;
    let form = Form::of(kty).ok_or(KeyProblem::UnknownType)?;
    let name = form.set.map(|set| jwk.required_text(set)).transpose()?;
    KeyType::of_jwk(kty, name).ok_or(KeyProblem::UnknownType)
}

/// `use` and `key_ops` are honoured if present (RFC 7517 sections 4.2 and 4.3).
pub(super) fn check_purpose(jwk: &Members<'_>, rules: &ImportRules) -> Result<(), KeyProblem> {
    match jwk.text("use")? {
        None | Some("sig") => {}
        Some("enc") => return Err(KeyProblem::NotForVerifying),
        Some(purpose) if rules.uses.iter().any(|allowed| allowed == purpose) => {}
        Some(purpose) => return Err(KeyProblem::other_use(purpose)),
    }
    match jwk.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(operations)) if operations.iter().any(|operation| operation == "verify") => Ok(()),
        Some(Value::Array(_)) => Err(KeyProblem::NotForVerifying),
        Some(_) => Err(KeyProblem::Member { name: "key_ops", expected: "an array of strings" }),
    }
}

/// The algorithms that the key is bound to: that of its `alg`, otherwise all of its type.
pub(super) fn algorithms(jwk: &Members<'_>, key_type: KeyType) -> Result<Vec<Algorithm>, KeyProblem> {
    let possible = Algorithm::of(key_type);
    let Some(name) = jwk.text("alg")? else { return Ok(possible) };
    let named = Algorithm::named(name).filter(|algorithm| possible.contains(algorithm));
    named.map(|algorithm| vec![algorithm]).ok_or(KeyProblem::Algorithm)
}

/// Parses the numbers of a key, for these algorithms.
pub(super) fn material(
    jwk: &mut Members<'_>,
    key_type: KeyType,
    algorithms: &[Algorithm],
) -> Result<KeyMaterial, KeyProblem> {
    let material = match key_type.kty() {
        "oct" => return super::secret(&jwk.octets("k")?, algorithms),
        "RSA" => KeyMaterial::rsa(&jwk.number("n")?, &jwk.number("e")?, algorithms),
        "EC" => KeyMaterial::bare(&uncompressed_point(jwk, key_type)?, key_type, algorithms),
        kty => KeyMaterial::bare(&bare(jwk, kty, key_type)?, key_type, algorithms),
    };
    material.map_err(KeyProblem::from)
}

/// `0x04 || x || y`, each coordinate in its full length (SEC 1 section 2.3.3).
fn uncompressed_point(jwk: &mut Members<'_>, key_type: KeyType) -> Result<Vec<u8>, KeyProblem> {
    let length = key_type.member_bytes().unwrap_or_default();
    let (x, y) = (jwk.coordinate("x", length)?, jwk.coordinate("y", length)?);
    if x.len() != length || y.len() != length {
        return Err(KeyProblem::Member { name: "x, y", expected: "no longer than a coordinate of the curve" });
    }
    Ok([&[4], x.as_slice(), y.as_slice()].concat())
}

/// The only public member. Its octets are not a number, so that their length has to be exact.
fn bare(jwk: &mut Members<'_>, kty: &str, key_type: KeyType) -> Result<Vec<u8>, KeyProblem> {
    let name = Form::of(kty).and_then(|form| form.public.first()).ok_or(KeyProblem::UnknownType)?;
    let (octets, expected) = (jwk.octets(name)?, key_type.member_bytes().unwrap_or_default());
    match octets.len() {
        actual if actual != expected => Err(KeyProblem::Length { name, expected, actual }),
        _ => Ok(octets),
    }
}
