use super::attacker;
use super::target::Target;
use crate::algorithm::Algorithm;
use crate::der;
use crate::encoding::{base64url, from_base64url};
use crate::token::TokenBuilder;

pub(super) fn flipped_bit(target: &Target) -> String {
    resigned(target.good(), |mut signature| {
        let middle = signature.len() / 2;
        if let Some(byte) = signature.get_mut(middle) {
            *byte ^= 1;
        }
        signature
    })
}

pub(super) fn flipped_payload_bit(target: &Target) -> String {
    // The last letters differ in one bit: 0x65 and 0x64.
    let real = target.good().subject("alice").sign();
    let forged = target.good().subject("alicd").payload();
    let mut parts = real.split('.');
    let header = parts.next().unwrap_or_default();
    let signature = parts.next_back().unwrap_or_default();
    format!("{header}.{}.{signature}", base64url(forged))
}

pub(super) fn truncated(target: &Target) -> String {
    resigned(target.good(), |mut signature| {
        signature.truncate(signature.len() / 2);
        signature
    })
}

pub(super) fn empty(target: &Target) -> String {
    resigned(target.good(), |_| Vec::new())
}

pub(super) fn zero(target: &Target) -> String {
    resigned(target.good(), |signature| vec![0; signature.len()])
}

pub(super) fn der(target: &Target) -> String {
    let token = elliptic(target).unwrap_or_else(|| {
        let forged = target.good().forged_by(&attacker::key(Algorithm::ES256));
        forged.signed_with(Algorithm::ES256)
    });
    resigned(token, |signature| der::ecdsa_signature(&signature))
}

pub(super) fn wrong_curve(target: &Target) -> String {
    let token = elliptic(target).unwrap_or_else(|| target.good());
    let forged = token.forged_by(&attacker::key(Algorithm::ES384));
    forged.header("alg", Algorithm::ES256.name()).sign()
}

fn elliptic(target: &Target) -> Option<TokenBuilder> {
    target.elliptic.clone()
}

/// Signs, then changes the signature's bytes.
pub(crate) fn resigned(token: TokenBuilder, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> String {
    let signed = token.sign();
    let (input, signature) = signed.rsplit_once('.').unwrap_or_default();
    let signature = from_base64url(signature).unwrap_or_default();
    format!("{input}.{}", base64url(change(signature)))
}
