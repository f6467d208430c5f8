//! Cases of `jwk` and of the signature.

use serde_json::Value;

use super::scene::{DpopAttempt, Scene};
use crate::algorithm::Family;
use crate::attack::{attacker, resigned};
use crate::der;
use crate::encoding::{base64url, fill_random, from_base64url};
use crate::key::{SigningKey, jwk};

pub(super) fn missing(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.without_header("jwk"))
}

pub(super) fn not_an_object(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.header("jwk", scene.client.public_jwk().to_string()))
}

/// The private member has the right length; its value is random.
pub(super) fn private(scene: &Scene<'_>) -> DpopAttempt {
    let (name, len) = match scene.key().algorithm().family() {
        Family::MlDsa44 | Family::MlDsa65 | Family::MlDsa87 => ("priv", 32),
        Family::Rsa => ("d", 256),
        Family::P384 => ("d", 48),
        Family::P521 => ("d", 66),
        _ => ("d", 32),
    };
    let mut secret = vec![0; len];
    fill_random(&mut secret);
    scene.with(|proof| proof.header("jwk", with_member(scene.client.public_jwk(), name, base64url(secret))))
}

pub(super) fn of_a_thief(scene: &Scene<'_>) -> DpopAttempt {
    scene.bound_to(&scene.client.thumbprint(), &thief(scene), |proof| proof.sign())
}

pub(super) fn signed_by_another(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.signed_by(&thief(scene)))
}

/// The token is bound to the thumbprint of the impossible key.
pub(super) fn off_curve(scene: &Scene<'_>) -> DpopAttempt {
    let key = scene.elliptic_key();
    let mut impossible = key.bare_jwk();
    let y = impossible.get("y").and_then(Value::as_str).and_then(from_base64url);
    let mut y = y.unwrap_or_default();
    if let Some(last) = y.last_mut() {
        *last ^= 1;
    }
    impossible = with_member(impossible, "y", base64url(y));
    let thumbprint = jwk::thumbprint(&impossible).unwrap_or_default();
    scene.bound_to(&thumbprint, &key, |proof| proof.header("jwk", impossible).sign())
}

pub(super) fn rsa_1024(scene: &Scene<'_>) -> DpopAttempt {
    scene.by(&SigningKey::weak_rsa(), |proof| proof.sign())
}

pub(super) fn by_reference(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| {
        let proof = proof.without_header("jwk").header("kid", scene.client.thumbprint());
        proof.header("jku", "https://client.example/jwks")
    })
}

pub(super) fn with_further_members(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.header("jwk", scene.key().public_jwk()))
}

pub(super) fn flipped_bit(scene: &Scene<'_>) -> DpopAttempt {
    scene.with_text(|proof, _| {
        resigned(proof.jwt(), |mut signature| {
            let middle = signature.len() / 2;
            if let Some(byte) = signature.get_mut(middle) {
                *byte ^= 1;
            }
            signature
        })
    })
}

pub(super) fn empty_signature(scene: &Scene<'_>) -> DpopAttempt {
    scene.with_text(|proof, _| resigned(proof.jwt(), |_| Vec::new()))
}

pub(super) fn der_signature(scene: &Scene<'_>) -> DpopAttempt {
    scene.by(&scene.elliptic_key(), |proof| resigned(proof.jwt(), |signature| der::ecdsa_signature(&signature)))
}

/// Another key for the client's algorithm.
fn thief(scene: &Scene<'_>) -> SigningKey {
    attacker::key(scene.key().algorithm())
}

fn with_member(mut jwk: Value, name: &str, value: String) -> Value {
    if let Some(members) = jwk.as_object_mut() {
        members.insert(name.to_owned(), value.into());
    }
    jwk
}
