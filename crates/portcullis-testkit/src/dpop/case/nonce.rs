//! Cases of `nonce`, for an API that demands one.

use super::scene::{DpopAttempt, Scene};
use crate::encoding::random_id;

pub(super) fn missing(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.without_claim("nonce"))
}

pub(super) fn empty(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.nonce(""))
}

pub(super) fn forged(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.nonce(random_id()))
}

/// Changes the first character, which has no spare bits in an encoding.
pub(super) fn tampered(scene: &Scene<'_>) -> DpopAttempt {
    let mut rest = good(scene).chars();
    let first = if rest.next() == Some('A') { 'B' } else { 'A' };
    scene.with(|proof| proof.nonce(format!("{first}{}", rest.as_str())))
}

pub(super) fn truncated(scene: &Scene<'_>) -> DpopAttempt {
    let good = good(scene);
    let half = good.chars().take(good.chars().count() / 2);
    scene.with(|proof| proof.nonce(half.collect::<String>()))
}

pub(super) fn list(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.claim("nonce", vec![good(scene)]))
}

/// The client's nonce.
fn good<'a>(scene: &Scene<'a>) -> &'a str {
    scene.client.nonce().unwrap_or_default()
}
