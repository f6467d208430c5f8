//! Cases of the proof's form and type.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;

use super::scene::{DpopAttempt, Fields, Scene};
use crate::attack::prepend;
use crate::dpop::proof::ProofBuilder;
use crate::encoding::{base64url, random_id};
use crate::token::TokenBuilder;

pub(super) fn empty(scene: &Scene<'_>) -> DpopAttempt {
    scene.with_text(|_, _| String::new())
}

pub(super) fn not_a_jwt(scene: &Scene<'_>) -> DpopAttempt {
    scene.with_text(|_, _| "let-me-in".to_owned())
}

pub(super) fn two_parts(scene: &Scene<'_>) -> DpopAttempt {
    scene.with_text(|proof, _| {
        let proof = proof.sign();
        proof.rsplit_once('.').unwrap_or_default().0.to_owned()
    })
}

pub(super) fn four_parts(scene: &Scene<'_>) -> DpopAttempt {
    scene.with_text(|proof, _| format!("{}.{}", proof.sign(), random_id()))
}

pub(super) fn padded(scene: &Scene<'_>) -> DpopAttempt {
    scene.with_text(|proof, _| {
        let jwt = unaligned(proof);
        jwt.sign_segments(&base64url(jwt.header_text()), &URL_SAFE.encode(jwt.payload()))
    })
}

/// The proof with a payload whose length is not a multiple of three bytes.
fn unaligned(proof: ProofBuilder) -> TokenBuilder {
    let jwt = proof.claim("note", "").jwt();
    if jwt.payload().len().is_multiple_of(3) { jwt.claim("note", "x") } else { jwt }
}

pub(super) fn whitespace(scene: &Scene<'_>) -> DpopAttempt {
    scene.with_text(|proof, _| {
        let jwt = proof.jwt();
        let mut payload = base64url(jwt.payload());
        payload.insert(payload.len() / 2, ' ');
        jwt.sign_segments(&base64url(jwt.header_text()), &payload)
    })
}

pub(super) fn oversized(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.claim("padding", "x".repeat(100_000)))
}

pub(super) fn header_not_json(scene: &Scene<'_>) -> DpopAttempt {
    scene.with_text(|proof, _| proof.jwt().header_json("not json").sign())
}

pub(super) fn payload_not_an_object(scene: &Scene<'_>) -> DpopAttempt {
    scene.with_text(|proof, _| {
        let jwt = proof.jwt();
        let payload = [b"[", jwt.payload().as_slice(), b"]"].concat();
        jwt.payload_bytes(payload).sign()
    })
}

pub(super) fn duplicate_header_member(scene: &Scene<'_>) -> DpopAttempt {
    scene.with_text(|proof, _| {
        let jwt = proof.jwt();
        let header = prepend(r#""typ":"JWT""#, &jwt.header_text());
        jwt.sign_segments(&base64url(header), &base64url(jwt.payload()))
    })
}

pub(super) fn duplicate_claim(scene: &Scene<'_>) -> DpopAttempt {
    scene.with_text(|proof, _| {
        let jwt = proof.jwt();
        let payload = prepend(r#""htm":"TRACE""#, &jwt.payload());
        jwt.payload_bytes(payload).sign()
    })
}

pub(super) fn critical_header(scene: &Scene<'_>) -> DpopAttempt {
    let extension = "https://extension.example";
    scene.with(|proof| proof.header(extension, true).header("crit", vec![extension]))
}

pub(super) fn unknown_members(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.header("unknown", "member").claim("unknown", vec!["claim"]))
}

pub(super) fn access_token_as_proof(scene: &Scene<'_>) -> DpopAttempt {
    let token = scene.bound_token();
    DpopAttempt::of(Fields::dpop(&token).proof(token.as_str()))
}

pub(super) fn typ_missing(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.without_header("typ"))
}

pub(super) fn typ_jwt(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.header("typ", "JWT"))
}

pub(super) fn typ_access_token(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.header("typ", "at+jwt"))
}

pub(super) fn typ_in_long_form(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.header("typ", "application/dpop+jwt"))
}

pub(super) fn typ_in_another_case(scene: &Scene<'_>) -> DpopAttempt {
    scene.with(|proof| proof.header("typ", "DPoP+JWT"))
}
