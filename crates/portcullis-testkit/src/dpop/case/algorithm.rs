//! Cases of `alg`.

use super::scene::{DpopAttempt, Scene};
use crate::algorithm::Algorithm;
use crate::encoding::base64url;
use crate::key::SigningKey;

pub(super) fn none(scene: &Scene<'_>) -> DpopAttempt {
    scene.with_text(|proof, _| {
        let jwt = proof.header("alg", "none").jwt();
        format!("{}.{}.", base64url(jwt.header_text()), base64url(jwt.payload()))
    })
}

pub(super) fn missing(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.without_header("alg"))
}

pub(super) fn symmetric(scene: &Scene<'_>) -> DpopAttempt {
    let secret = SigningKey::generate(Algorithm::HS256, "client");
    scene.by(&secret, |proof| proof.sign())
}

pub(super) fn confusion(scene: &Scene<'_>) -> DpopAttempt {
    let secret = SigningKey::from_secret(Algorithm::HS256, "client", scene.key().public_pem().as_bytes());
    scene.with(|proof| proof.header("alg", Algorithm::HS256.name()).signed_by(&secret))
}

pub(super) fn mismatch(scene: &Scene<'_>) -> DpopAttempt {
    let other = match scene.key().algorithm() {
        Algorithm::ES256 => Algorithm::EdDSA,
        _ => Algorithm::ES256,
    };
    scene.with(|proof| proof.header("alg", other.name()))
}
