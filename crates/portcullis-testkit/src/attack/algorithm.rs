use super::attacker;
use super::target::Target;
use crate::algorithm::Algorithm;
use crate::encoding::base64url;
use crate::key::SigningKey;

pub(super) fn none(target: &Target) -> String {
    unsigned(target, "none")
}

pub(super) fn none_mixed_case(target: &Target) -> String {
    unsigned(target, "nOnE")
}

fn unsigned(target: &Target, alg: &str) -> String {
    let token = target.good().header("alg", alg);
    let header = base64url(token.header_text());
    format!("{header}.{}.", base64url(token.payload()))
}

pub(super) fn confusion_pem(target: &Target) -> String {
    confused(target, verification_key(target).public_pem().as_bytes())
}

pub(super) fn confusion_der(target: &Target) -> String {
    confused(target, &verification_key(target).public_der())
}

/// The server's key, or the attacker's if the server's key has no public half.
fn verification_key(target: &Target) -> SigningKey {
    let algorithm = target.key().algorithm();
    let attackers = attacker::public_key(algorithm);
    if attackers.algorithm() == algorithm { target.key().clone() } else { attackers }
}

fn confused(target: &Target, secret: &[u8]) -> String {
    let key = SigningKey::from_secret(Algorithm::HS256, target.key().kid(), secret);
    let token = target.good().forged_by(&key);
    token.signed_with(Algorithm::HS256).sign()
}

pub(super) fn missing(target: &Target) -> String {
    target.good().without_header("alg").sign()
}

pub(super) fn unknown(target: &Target) -> String {
    target.good().header("alg", "XX999").sign()
}
