use serde_json::json;

use super::target::Target;
use crate::encoding::{base64url, fill_random, random_id};

pub(super) fn id_token(target: &Target) -> String {
    let token = target.good().without_claim("client_id");
    token
        .without_claim("scope")
        .typ("JWT")
        .audience(target.client_id.as_str())
        .claim("nonce", random_id())
        .claim("at_hash", random_id())
        .sign()
}

pub(super) fn dpop_proof(target: &Target) -> String {
    let token = target.good().typ("dpop+jwt");
    token.header("jwk", target.key().public_jwk()).claim("htm", "GET").claim("htu", "https://api.example.com/").sign()
}

pub(super) fn logout_token(target: &Target) -> String {
    let events = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    let token = target.good().typ("logout+jwt");
    token.claim("events", events).claim("sid", random_id()).sign()
}

/// The thumbprint of a key that nobody has.
fn thumbprint() -> String {
    let mut bytes = [0; 32];
    fill_random(&mut bytes);
    base64url(bytes)
}

pub(super) fn dpop_bound(target: &Target) -> String {
    target.good().bound_to_key(thumbprint()).sign()
}

pub(super) fn certificate_bound(target: &Target) -> String {
    target.good().bound_to_certificate(thumbprint()).sign()
}

pub(super) fn unknown_confirmation(target: &Target) -> String {
    target.good().claim("cnf", json!({ "kid": "the-senders-key" })).sign()
}

pub(super) fn null_confirmation(target: &Target) -> String {
    target.good().claim("cnf", json!(null)).sign()
}

pub(super) fn empty_confirmation(target: &Target) -> String {
    target.good().claim("cnf", json!({})).sign()
}

pub(super) fn confirmation_list(target: &Target) -> String {
    target.good().claim("cnf", json!([{ "jkt": thumbprint() }])).sign()
}

pub(super) fn null_thumbprint(target: &Target) -> String {
    target.good().claim("cnf", json!({ "jkt": null })).sign()
}

pub(super) fn short_thumbprint(target: &Target) -> String {
    target.good().bound_to_key(random_id()).sign()
}

pub(super) fn doubly_bound(target: &Target) -> String {
    target.good().bound_to_key(thumbprint()).bound_to_certificate(thumbprint()).sign()
}

/// Header, encrypted key, initialisation vector, ciphertext and tag.
pub(super) fn jwe(target: &Target) -> String {
    let header = json!({
        "alg": "RSA-OAEP-256",
        "enc": "A256GCM",
        "kid": target.key().kid(),
    });
    let parts = [256, 12, 400, 16].map(random_segment);
    format!("{}.{}", base64url(header.to_string()), parts.join("."))
}

fn random_segment(len: usize) -> String {
    let mut bytes = vec![0; len];
    fill_random(&mut bytes);
    base64url(bytes)
}
