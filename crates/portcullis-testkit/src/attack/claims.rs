use std::time::Duration;

use serde_json::Value;

use super::target::{Target, prepend};

/// A time beyond every reasonable leeway.
const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn expired(target: &Target) -> String {
    target.good().expired_for(HOUR).sign()
}

pub(super) fn not_yet_valid(target: &Target) -> String {
    let token = target.good().not_before_in(HOUR);
    token.expires_in(2 * HOUR).sign()
}

pub(super) fn issued_in_future(target: &Target) -> String {
    let token = target.good().expires_in(2 * HOUR);
    let iat = token.numeric_date_in(HOUR);
    token.claim("iat", iat).sign()
}

pub(super) fn missing_expiry(target: &Target) -> String {
    target.good().without_claim("exp").sign()
}

pub(super) fn expiry_as_string(target: &Target) -> String {
    let token = target.good();
    let exp = token.numeric_date_in(HOUR).to_string();
    token.claim("exp", exp).sign()
}

pub(super) fn expiry_infinite(target: &Target) -> String {
    let token = target.good().without_claim("exp");
    let payload = prepend(r#""exp":1e400"#, &token.payload());
    token.payload_bytes(payload).sign()
}

pub(super) fn negative_expiry(target: &Target) -> String {
    target.good().claim("exp", -1).sign()
}

pub(super) fn wrong_issuer(target: &Target) -> String {
    target.good().issuer("https://attacker.example").sign()
}

pub(super) fn issuer_prefix(target: &Target) -> String {
    let token = target.good();
    let real = token.claims().get("iss").and_then(Value::as_str);
    let issuer = format!("{}.evil.example", real.unwrap_or_default());
    token.issuer(issuer).sign()
}

pub(super) fn missing_issuer(target: &Target) -> String {
    target.good().without_claim("iss").sign()
}

pub(super) fn wrong_audience(target: &Target) -> String {
    let other = "https://other-api.example.com";
    target.good().audience(other).sign()
}

pub(super) fn missing_audience(target: &Target) -> String {
    target.good().without_claim("aud").sign()
}
