//! Cases of the request as a whole: fields, schemes and replays.

use super::scene::{DpopAttempt, Fields, Scene};
use super::url;
use crate::encoding::random_id;

pub(super) fn plain(scene: &Scene<'_>) -> DpopAttempt {
    DpopAttempt::of(good(scene))
}

pub(super) fn scheme_in_another_case(scene: &Scene<'_>) -> DpopAttempt {
    let token = scene.bound_token();
    let fields = Fields::default().authorization("dPoP", &token);
    DpopAttempt::of(fields.proof(scene.proof(&token).sign()))
}

pub(super) fn missing_proof(scene: &Scene<'_>) -> DpopAttempt {
    DpopAttempt::of(Fields::dpop(&scene.bound_token()))
}

pub(super) fn two_proofs(scene: &Scene<'_>) -> DpopAttempt {
    let token = scene.bound_token();
    let proof = || scene.proof(&token).sign();
    DpopAttempt::of(Fields::dpop(&token).proof(proof()).proof(proof()))
}

pub(super) fn two_proofs_in_one_field(scene: &Scene<'_>) -> DpopAttempt {
    scene.with_text(|proof, token| format!("{}, {}", proof.sign(), scene.proof(token).sign()))
}

pub(super) fn bound_token_as_bearer(scene: &Scene<'_>) -> DpopAttempt {
    DpopAttempt::of(Fields::default().authorization("Bearer", &scene.bound_token()))
}

pub(super) fn bound_token_as_bearer_with_proof(scene: &Scene<'_>) -> DpopAttempt {
    let token = scene.bound_token();
    let proof = scene.proof(&token).sign();
    DpopAttempt::of(Fields::default().authorization("Bearer", &token).proof(proof))
}

pub(super) fn unbound_token(scene: &Scene<'_>) -> DpopAttempt {
    let token = scene.unbound_token();
    let proof = scene.proof(&token).sign();
    DpopAttempt::of(Fields::dpop(&token).proof(proof))
}

pub(super) fn unbound_token_as_bearer_with_proof(scene: &Scene<'_>) -> DpopAttempt {
    let token = scene.unbound_token();
    let proof = scene.proof(&token).sign();
    DpopAttempt::of(Fields::default().authorization("Bearer", &token).proof(proof))
}

pub(super) fn two_schemes(scene: &Scene<'_>) -> DpopAttempt {
    let token = scene.bound_token();
    let proof = scene.proof(&token).sign();
    let fields = Fields::dpop(&token).authorization("Bearer", &scene.unbound_token());
    DpopAttempt::of(fields.proof(proof))
}

pub(super) fn replay(scene: &Scene<'_>) -> DpopAttempt {
    let fields = good(scene);
    DpopAttempt::of(fields.clone()).after(fields)
}

pub(super) fn reused_jti(scene: &Scene<'_>) -> DpopAttempt {
    let (token, jti) = (scene.bound_token(), random_id());
    let first = scene.proof(&token).jti(jti.as_str());
    // Another text with another signature.
    let second = first.clone().claim("attempt", 2);
    let attempt = DpopAttempt::of(Fields::dpop(&token).proof(second.sign()));
    attempt.after(Fields::dpop(&token).proof(first.sign()))
}

pub(super) fn reused_jti_in_another_spelling(scene: &Scene<'_>) -> DpopAttempt {
    let (token, jti) = (scene.bound_token(), random_id());
    let first = scene.proof(&token).jti(jti.as_str());
    let second = first.clone().claim("htu", url::Parts::of(scene.url).in_upper_case_scheme());
    let attempt = DpopAttempt::of(Fields::dpop(&token).proof(second.sign()));
    attempt.after(Fields::dpop(&token).proof(first.sign()))
}

fn good(scene: &Scene<'_>) -> Fields {
    let token = scene.bound_token();
    Fields::dpop(&token).proof(scene.proof(&token).sign())
}
