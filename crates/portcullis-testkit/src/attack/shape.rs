use super::target::{Target, prepend};
use crate::encoding::{base64url, random_id};

pub(super) fn critical_header(target: &Target) -> String {
    let extension = "https://extension.example";
    let token = target.good().header(extension, true);
    token.header("crit", vec![extension]).sign()
}

/// The payload stays encoded, so that the signature is valid with `b64` and without it.
pub(super) fn unencoded_payload(target: &Target) -> String {
    let token = target.good().header("b64", false);
    token.header("crit", vec!["b64"]).sign()
}

pub(super) fn unencoded_payload_without_crit(target: &Target) -> String {
    target.good().header("b64", false).sign()
}

pub(super) fn duplicate_header_member(target: &Target) -> String {
    let token = target.good();
    let header = prepend(r#""alg":"none""#, &token.header_text());
    token.sign_segments(&base64url(header), &base64url(token.payload()))
}

pub(super) fn duplicate_claim(target: &Target) -> String {
    with_member(target, "sub", r#""sub":"admin","sub":"alice""#)
}

pub(super) fn duplicate_nested_claim(target: &Target) -> String {
    let nested = r#""realm_access":{"roles":["admin"],"roles":[]}"#;
    with_member(target, "realm_access", nested)
}

pub(super) fn deep_json(target: &Target) -> String {
    let (open, close) = ("[".repeat(10_000), "]".repeat(10_000));
    with_member(target, "deep", &format!("\"deep\":{open}{close}"))
}

/// Replaces a claim by the text of one or more members.
fn with_member(target: &Target, name: &str, member: &str) -> String {
    let token = target.good().without_claim(name);
    let payload = prepend(member, &token.payload());
    token.payload_bytes(payload).sign()
}

pub(super) fn two_parts(target: &Target) -> String {
    let good = target.good().sign();
    let (input, _) = good.rsplit_once('.').unwrap_or_default();
    input.to_owned()
}

pub(super) fn four_parts(target: &Target) -> String {
    format!("{}.{}", target.good().sign(), random_id())
}

pub(super) fn oversized(target: &Target) -> String {
    target.good().claim("padding", "x".repeat(1 << 20)).sign()
}

pub(super) fn invalid_utf8(target: &Target) -> String {
    let token = target.good();
    let mut payload = prepend(r#""name":"?""#, &token.payload());
    if let Some(placeholder) = payload.iter_mut().find(|byte| **byte == b'?') {
        *placeholder = 0xff;
    }
    token.payload_bytes(payload).sign()
}

pub(super) fn not_an_object(target: &Target) -> String {
    let token = target.good();
    let payload = [b"[", token.payload().as_slice(), b"]"].concat();
    token.payload_bytes(payload).sign()
}

pub(super) fn header_not_json(target: &Target) -> String {
    target.good().header_json("not json").sign()
}

pub(super) fn payload_not_json(target: &Target) -> String {
    target.good().claims_json("not json").sign()
}
