//! Cases of the claims other than `htu` and `nonce`.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;

use super::scene::{DpopAttempt, Scene};
use crate::attack::prepend;
use crate::clock::numeric_date;
use crate::encoding::{from_base64url, random_id, sha256_base64url};

/// A time beyond every reasonable window.
const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn htm_missing(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.without_claim("htm"))
}

pub(super) fn htm_other(scene: &Scene<'_>) -> DpopAttempt {
    let other = if scene.method == "DELETE" { "GET" } else { "DELETE" };
    scene.with(|proof| proof.claim("htm", other))
}

pub(super) fn htm_in_another_case(scene: &Scene<'_>) -> DpopAttempt {
    let lower = scene.method.to_ascii_lowercase();
    let other = if lower == scene.method { scene.method.to_ascii_uppercase() } else { lower };
    scene.with(|proof| proof.claim("htm", other))
}

pub(super) fn htm_list(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.claim("htm", vec![scene.method]))
}

pub(super) fn iat_missing(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.without_claim("iat"))
}

pub(super) fn iat_text(scene: &Scene<'_>) -> DpopAttempt {
    iat(scene, now(scene).to_string())
}

pub(super) fn iat_old(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.issued_at(scene.client.now() - HOUR))
}

pub(super) fn iat_ahead(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.issued_at(scene.client.now() + HOUR))
}

pub(super) fn iat_milliseconds(scene: &Scene<'_>) -> DpopAttempt {
    iat(scene, now(scene).saturating_mul(1000))
}

pub(super) fn iat_infinite(scene: &Scene<'_>) -> DpopAttempt {
    scene.with_text(|proof, _| {
        let jwt = proof.without_claim("iat").jwt();
        let payload = prepend(r#""iat":1e400"#, &jwt.payload());
        jwt.payload_bytes(payload).sign()
    })
}

pub(super) fn iat_negative(scene: &Scene<'_>) -> DpopAttempt {
    iat(scene, -1)
}

#[expect(clippy::cast_precision_loss, reason = "dates fit a double")]
pub(super) fn iat_fractional(scene: &Scene<'_>) -> DpopAttempt {
    iat(scene, now(scene) as f64 - 0.5)
}

pub(super) fn iat_recent(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.issued_at(scene.client.now() - Duration::from_secs(30)))
}

pub(super) fn iat_slightly_ahead(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.issued_at(scene.client.now() + Duration::from_secs(3)))
}

pub(super) fn ath_missing(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.without_claim("ath"))
}

pub(super) fn ath_of_another_token(scene: &Scene<'_>) -> DpopAttempt {
    let other = scene.bound_token();
    scene.with(|proof| proof.token(&other))
}

pub(super) fn ath_padded(scene: &Scene<'_>) -> DpopAttempt {
    ath(scene, |token| format!("{}=", sha256_base64url(token.as_bytes())))
}

pub(super) fn ath_hex(scene: &Scene<'_>) -> DpopAttempt {
    ath(scene, |token| {
        let hash = digest(&SHA256, token.as_bytes());
        hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    })
}

pub(super) fn ath_of_decoded_token(scene: &Scene<'_>) -> DpopAttempt {
    ath(scene, |token| {
        let decoded = token.split('.').filter_map(from_base64url);
        sha256_base64url(&decoded.collect::<Vec<_>>().concat())
    })
}

pub(super) fn jti_missing(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.without_claim("jti"))
}

pub(super) fn jti_empty(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.jti(""))
}

pub(super) fn jti_number(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.claim("jti", 7))
}

pub(super) fn jti_huge(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.jti(random_id().repeat(500)))
}

fn iat(scene: &Scene<'_>, value: impl Into<Value>) -> DpopAttempt {
    scene.with(|proof| proof.claim("iat", value))
}

fn ath(scene: &Scene<'_>, hash: impl FnOnce(&str) -> String) -> DpopAttempt {
    scene.with_text(|proof, token| proof.claim("ath", hash(token)).sign())
}

fn now(scene: &Scene<'_>) -> i64 {
    numeric_date(scene.client.now())
}
