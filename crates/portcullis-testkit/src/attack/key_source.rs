use super::attacker;
use super::target::Target;
use crate::encoding::base64;
use crate::key::SigningKey;
use crate::token::TokenBuilder;

pub(super) fn embedded_jwk(target: &Target) -> String {
    let jwk = attacker::jwk_posing_as(target.key());
    forged(target).header("jwk", jwk).sign()
}

pub(super) fn jwk_set_url(target: &Target) -> String {
    let url = format!("{}/jwks", target.attacker_url);
    forged(target).header("jku", url).sign()
}

pub(super) fn x509_url(target: &Target) -> String {
    let url = format!("{}/certificate", target.attacker_url);
    certified(target).header("x5u", url).sign()
}

pub(super) fn x509_chain(target: &Target) -> String {
    let certificate = attacker::certificate_der(target.key().algorithm());
    let chain = vec![base64(certificate)];
    certified(target).header("x5c", chain).sign()
}

pub(super) fn forged_key(target: &Target) -> String {
    forged(target).sign()
}

pub(super) fn unknown_key(target: &Target) -> String {
    forged(target).kid("unknown-key").sign()
}

pub(super) fn kid_not_a_string(target: &Target) -> String {
    target.good().header("kid", 7).sign()
}

pub(super) fn kid_traversal(target: &Target) -> String {
    target.good().kid("../../dev/null").sign()
}

pub(super) fn huge_kid(target: &Target) -> String {
    target.good().kid("k".repeat(4096)).sign()
}

/// The good token signed with the attacker's key, under the real key's id.
fn forged(target: &Target) -> TokenBuilder {
    signed_by(target, &attacker::key(target.key().algorithm()))
}

/// The same, with a key that a certificate can hold.
fn certified(target: &Target) -> TokenBuilder {
    signed_by(target, &attacker::public_key(target.key().algorithm()))
}

fn signed_by(target: &Target, key: &SigningKey) -> TokenBuilder {
    let token = target.good().forged_by(key);
    token.signed_with(key.algorithm())
}
