use aws_lc_rs::signature::UnparsedPublicKey;
use serde_json::Value;

use super::material::verification;
use crate::algorithm::{Algorithm, Family};
use crate::der;
use crate::encoding::from_base64url;

/// Returns true if `signature` is a signature over `input` by the public key of a JWK.
pub(crate) fn verifies(jwk: &Value, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> bool {
    let key = public_bytes(jwk, algorithm);
    key.is_some_and(|key| UnparsedPublicKey::new(verification(algorithm), key).verify(input, signature).is_ok())
}

/// The key in the library's form; `None` if the JWK is of another kind than the algorithm.
fn public_bytes(jwk: &Value, algorithm: Algorithm) -> Option<Vec<u8>> {
    let is = |name: &str, value: &str| jwk.get(name).is_some_and(|found| found == value);
    let bytes = |name: &str| from_base64url(jwk.get(name)?.as_str()?);
    let on_curve = |curve: &str| {
        (is("kty", "EC") && is("crv", curve)).then(|| Some([vec![4], bytes("x")?, bytes("y")?].concat()))?
    };
    match algorithm.family() {
        Family::Rsa if is("kty", "RSA") => {
            Some(der::sequence(&[&der::unsigned(&bytes("n")?), &der::unsigned(&bytes("e")?)]))
        }
        Family::P256 => on_curve("P-256"),
        Family::P384 => on_curve("P-384"),
        Family::P521 => on_curve("P-521"),
        Family::Ed25519 if is("kty", "OKP") && is("crv", "Ed25519") => bytes("x"),
        Family::MlDsa44 | Family::MlDsa65 | Family::MlDsa87 if is("kty", "AKP") && is("alg", algorithm.name()) => {
            bytes("pub")
        }
        _ => None,
    }
}
