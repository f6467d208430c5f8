//! The rules for registered claims: times, issuer, audience (RFC 7519 section 4.1, RFC 9068 section 4).

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::{Claims, VerifiedToken, numeric_date::NumericDate};
use crate::{
    refusal::{Refusal, TokenFault, Unverified},
    token::{Object, SignedToken},
};

/// What the registered claims of a token must say.
#[derive(Debug, Clone)]
pub(crate) struct ClaimRules {
    /// The issuer, to the letter; any if none is named.
    pub(crate) issuer: Option<String>,
    /// The audiences, one of which must be named; any if there are none.
    pub(crate) audiences: Vec<String>,
    /// How far the clocks may be apart.
    pub(crate) leeway: Duration,
    /// Whether a token without `exp` passes.
    pub(crate) without_expiry: bool,
    /// The claims that must be there, whatever they say.
    pub(crate) required: &'static [&'static str],
}

/// The claims of a JWT access token (RFC 9068 section 2.2) beyond those that other rules ask for.
pub(crate) const RFC_9068_CLAIMS: &[&str] = &["iss", "exp", "aud", "sub", "client_id", "iat", "jti"];

impl Default for ClaimRules {
    fn default() -> Self {
        Self {
            issuer: None,
            audiences: Vec::new(),
            leeway: Duration::from_secs(5),
            without_expiry: false,
            required: &[],
        }
    }
}

impl ClaimRules {
    pub(crate) fn check(&self, token: SignedToken, now: SystemTime) -> Result<VerifiedToken, Refusal> {
        self.check_claims(&token.claims, now.into()).map_err(Refusal::Token)?;
        Ok(VerifiedToken::new(token.header, Claims::new(token.claims)))
    }

    pub(super) fn check_claims(&self, claims: &Object, now: NumericDate) -> Result<(), TokenFault> {
        self.check_times(claims, now)?;
        self.check_issuer(claims)?;
        self.check_audience(claims)?;
        match self.required.iter().find(|name| !claims.contains_key(**name)) {
            Some(name) => Err(TokenFault::MissingClaim { name }),
            None => Ok(()),
        }
    }

    /// `exp` has to be later than now, `nbf` and `iat` must not be (RFC 7519 sections 4.1.4 to 4.1.6).
    fn check_times(&self, claims: &Object, now: NumericDate) -> Result<(), TokenFault> {
        match NumericDate::claim(claims, "exp")? {
            Some(exp) if exp.plus(self.leeway) <= now => return Err(TokenFault::Expired { ago: now.since(exp) }),
            None if !self.without_expiry => return Err(TokenFault::MissingClaim { name: "exp" }),
            _ => {}
        }
        let latest = now.plus(self.leeway);
        match NumericDate::claim(claims, "nbf")? {
            Some(nbf) if nbf > latest => return Err(TokenFault::NotYetValid { ahead: nbf.since(now) }),
            _ => {}
        }
        match NumericDate::claim(claims, "iat")? {
            Some(iat) if iat > latest => Err(TokenFault::IssuedInFuture { ahead: iat.since(now) }),
            _ => Ok(()),
        }
    }

    /// `iss` is a case-sensitive string, compared to the letter (RFC 7519 section 4.1.1).
    fn check_issuer(&self, claims: &Object) -> Result<(), TokenFault> {
        let Some(expected) = &self.issuer else { return Ok(()) };
        match claims.get("iss") {
            Some(Value::String(issuer)) if issuer == expected => Ok(()),
            Some(Value::String(issuer)) => Err(TokenFault::Issuer { actual: Unverified::new(issuer) }),
            Some(_) => Err(TokenFault::MalformedClaim { name: "iss", expected: "a string" }),
            None => Err(TokenFault::MissingClaim { name: "iss" }),
        }
    }

    /// `aud` is a string or an array of strings, one of which has to be ours (RFC 7519 section 4.1.3).
    fn check_audience(&self, claims: &Object) -> Result<(), TokenFault> {
        if self.audiences.is_empty() {
            return Ok(());
        }
        let ours = |audience: &str| self.audiences.iter().any(|ours| ours == audience);
        let malformed = TokenFault::MalformedClaim { name: "aud", expected: "a string or an array of strings" };
        let named = match claims.get("aud") {
            None => return Err(TokenFault::MissingClaim { name: "aud" }),
            Some(Value::String(audience)) => ours(audience),
            Some(Value::Array(audiences)) if audiences.iter().all(Value::is_string) => {
                audiences.iter().filter_map(Value::as_str).any(ours)
            }
            Some(_) => return Err(malformed),
        };
        if named { Ok(()) } else { Err(TokenFault::Audience { expected: self.audiences.clone() }) }
    }
}
