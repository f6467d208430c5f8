//! The rules for registered claims: times, issuer, audience (RFC 7519 section 4.1, RFC 9068 section 4).

use std::time::{Duration, SystemTime};

use super::{VerifiedToken, confirmation, numeric_date::NumericDate};
use crate::{
    json::{Object, Value},
    refusal::{Refusal, TokenFault, Unverified},
    token::{self, IntrospectedToken, SignedToken},
};

/// What the registered claims of a token must say.
#[derive(Debug, Clone)]
pub(crate) struct ClaimRules {
    /// The issuer, to the letter; any if none is named.
    pub(crate) issuer: Option<String>,
    /// True for a SPIFFE trust domain as issuer, which `sub` names, and not `iss`.
    pub(crate) by_trust_domain: bool,
    /// The audiences, one of which must be named; any if there are none.
    pub(crate) audiences: Vec<String>,
    /// How far the clocks may be apart.
    pub(crate) leeway: Duration,
    /// Whether a token without `exp` passes.
    pub(crate) without_expiry: bool,
    /// Lets a token that is bound to a key of its sender pass without a proof of that key.
    pub(crate) unproven_senders: bool,
    /// The claims that must be there, whatever they say.
    pub(crate) required: &'static [&'static str],
}

/// When a token is good, as its claims say.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Times {
    exp: Option<NumericDate>,
    nbf: Option<NumericDate>,
    iat: Option<NumericDate>,
}

/// The claims that have rules, found in one walk.
#[derive(Default)]
struct Registered<'a> {
    iss: Option<Value<'a>>,
    sub: Option<Value<'a>>,
    aud: Option<Value<'a>>,
    exp: Option<Value<'a>>,
    nbf: Option<Value<'a>>,
    iat: Option<Value<'a>>,
    cnf: Option<Value<'a>>,
}

impl<'a> Registered<'a> {
    fn of(claims: &'a Object) -> Self {
        let mut found = Self::default();
        for (name, value) in claims.iter() {
            match name {
                "iss" => found.iss = Some(value),
                "sub" => found.sub = Some(value),
                "aud" => found.aud = Some(value),
                "exp" => found.exp = Some(value),
                "nbf" => found.nbf = Some(value),
                "iat" => found.iat = Some(value),
                "cnf" => found.cnf = Some(value),
                _ => {}
            }
        }
        found
    }
}

/// The claims of a JWT access token (RFC 9068 section 2.2) beyond those that other rules ask for.
pub(crate) const RFC_9068_CLAIMS: &[&str] = &["iss", "exp", "aud", "sub", "client_id", "iat", "jti"];

impl Times {
    /// When the token expires, if it says so and the machine's clock can show it.
    pub(crate) fn expiry(&self) -> Option<SystemTime> {
        self.exp.and_then(NumericDate::to_system_time)
    }

    /// When the token was issued, in the same way.
    pub(crate) fn issued_at(&self) -> Option<SystemTime> {
        self.iat.and_then(NumericDate::to_system_time)
    }
}

fn without_slash(issuer: &str) -> &str {
    issuer.strip_suffix('/').unwrap_or(issuer)
}

impl Default for ClaimRules {
    fn default() -> Self {
        Self {
            issuer: None,
            by_trust_domain: false,
            audiences: Vec::new(),
            leeway: Duration::from_secs(5),
            without_expiry: false,
            unproven_senders: false,
            required: &[],
        }
    }
}

impl ClaimRules {
    pub(crate) fn check(&self, token: SignedToken<'_>, now: SystemTime) -> Result<VerifiedToken, Refusal> {
        let times = self.check_claims(&token.claims, now.into()).map_err(Refusal::Token)?;
        Ok(VerifiedToken::new(token, times))
    }

    /// Judges a token that its authorization server vouches for.
    ///
    /// The server has judged its times; where it tells them, they are judged by our clock, too. Of the issuer it need not
    /// speak, since it was asked as that issuer; of the audience it must, where one is asked for.
    pub(crate) fn check_introspected(
        &self,
        token: IntrospectedToken,
        now: SystemTime,
    ) -> Result<VerifiedToken, Refusal> {
        let rules = self.of_introspected(&token.claims);
        let times = rules.check_claims(&token.claims, now.into()).map_err(Refusal::Token)?;
        Ok(VerifiedToken::introspected(token, times))
    }

    /// The rules that are left for claims that the authorization server vouches for.
    pub(crate) fn of_introspected(&self, claims: &Object) -> Self {
        // Of a trust domain it is the subject that counts, and not whom we asked.
        if self.by_trust_domain {
            return Self { without_expiry: true, ..self.clone() };
        }
        // Whom we asked is known, and a slash at the end makes no other issuer of it.
        let told = claims.get("iss").and_then(Value::as_str);
        let same = |issuer: &String, told: &str| without_slash(issuer) == without_slash(told);
        let issuer = self.issuer.clone().filter(|_| claims.contains_key("iss")).map(|issuer| match told {
            Some(told) if same(&issuer, told) => told.to_owned(),
            _ => issuer,
        });
        Self { issuer, without_expiry: true, ..self.clone() }
    }

    /// Whether a token that passed before is still in its time.
    pub(crate) fn are_times_right(&self, times: &Times, now: SystemTime) -> bool {
        let now = now.into();
        // One that passed without `exp` may be without it.
        let in_time = times.exp.is_none() || self.check_exp(times.exp, now).is_ok();
        in_time && self.check_nbf(times.nbf, now).is_ok() && self.check_iat(times.iat, now).is_ok()
    }

    pub(crate) fn check_claims(&self, claims: &Object, now: NumericDate) -> Result<Times, TokenFault> {
        let registered = Registered::of(claims);
        let times = self.check_times(&registered, now)?;
        self.check_issuer(&registered)?;
        self.check_audience(registered.aud)?;
        self.check_required(claims)?;
        self.check_confirmation(registered.cnf)?;
        Ok(times)
    }

    /// Each rule for itself, in the order in which [`check_claims`](Self::check_claims) holds claims against them.
    pub(crate) fn check_each(&self, claims: &Object, now: NumericDate) -> [(&'static str, Result<(), TokenFault>); 7] {
        let registered = Registered::of(claims);
        let time = |claim, name, check: &dyn Fn(Option<NumericDate>) -> Result<(), TokenFault>| {
            NumericDate::of(claim, name).and_then(check)
        };
        [
            ("exp", time(registered.exp, "exp", &|exp| self.check_exp(exp, now))),
            ("nbf", time(registered.nbf, "nbf", &|nbf| self.check_nbf(nbf, now))),
            ("iat", time(registered.iat, "iat", &|iat| self.check_iat(iat, now))),
            ("iss", self.check_issuer(&registered)),
            ("aud", self.check_audience(registered.aud)),
            ("required", self.check_required(claims)),
            ("cnf", self.check_confirmation(registered.cnf)),
        ]
    }

    fn check_times(&self, claims: &Registered<'_>, now: NumericDate) -> Result<Times, TokenFault> {
        let exp = NumericDate::of(claims.exp, "exp")?;
        self.check_exp(exp, now)?;
        let nbf = NumericDate::of(claims.nbf, "nbf")?;
        self.check_nbf(nbf, now)?;
        let iat = NumericDate::of(claims.iat, "iat")?;
        self.check_iat(iat, now)?;
        Ok(Times { exp, nbf, iat })
    }

    /// `exp` has to be later than now (RFC 7519 section 4.1.4).
    fn check_exp(&self, exp: Option<NumericDate>, now: NumericDate) -> Result<(), TokenFault> {
        match exp {
            Some(exp) if exp.plus(self.leeway) <= now => Err(TokenFault::Expired { ago: now.since(exp) }),
            None if !self.without_expiry => Err(TokenFault::MissingClaim { name: "exp" }),
            _ => Ok(()),
        }
    }

    /// `nbf` must not be later than now (RFC 7519 section 4.1.5).
    fn check_nbf(&self, nbf: Option<NumericDate>, now: NumericDate) -> Result<(), TokenFault> {
        match nbf {
            Some(nbf) if nbf > now.plus(self.leeway) => Err(TokenFault::NotYetValid { ahead: nbf.since(now) }),
            _ => Ok(()),
        }
    }

    /// Nor must `iat` (RFC 7519 section 4.1.6).
    fn check_iat(&self, iat: Option<NumericDate>, now: NumericDate) -> Result<(), TokenFault> {
        match iat {
            Some(iat) if iat > now.plus(self.leeway) => Err(TokenFault::IssuedInFuture { ahead: iat.since(now) }),
            _ => Ok(()),
        }
    }

    /// `iss` is a case-sensitive string, compared to the letter (RFC 7519 section 4.1.1).
    fn check_issuer(&self, claims: &Registered<'_>) -> Result<(), TokenFault> {
        let Some(expected) = &self.issuer else { return Ok(()) };
        if self.by_trust_domain {
            let domain = claims.sub.and_then(Value::as_str).and_then(token::trust_domain);
            return if domain == Some(expected) { Ok(()) } else { Err(TokenFault::TrustDomain) };
        }
        let Some(claim) = claims.iss else { return Err(TokenFault::MissingClaim { name: "iss" }) };
        match claim.as_str() {
            Some(issuer) if issuer == expected => Ok(()),
            Some(issuer) => Err(TokenFault::Issuer { actual: Unverified::new(issuer) }),
            None => Err(TokenFault::MalformedClaim { name: "iss", expected: "a string" }),
        }
    }

    /// `aud` is a string or an array of strings, one of which has to be ours (RFC 7519 section 4.1.3).
    fn check_audience(&self, claim: Option<Value<'_>>) -> Result<(), TokenFault> {
        if self.audiences.is_empty() {
            return Ok(());
        }
        let Some(claim) = claim else { return Err(TokenFault::MissingClaim { name: "aud" }) };
        let ours = |audience: &str| self.audiences.iter().any(|ours| ours == audience);
        let named = match claim.as_str() {
            Some(audience) => ours(audience),
            None if claim.is_array() && claim.elements().all(|element| element.as_str().is_some()) => {
                claim.elements().filter_map(Value::as_str).any(ours)
            }
            None => {
                let expected = "a string or an array of strings";
                return Err(TokenFault::MalformedClaim { name: "aud", expected });
            }
        };
        if named { Ok(()) } else { Err(TokenFault::Audience { expected: self.audiences.clone() }) }
    }

    fn check_required(&self, claims: &Object) -> Result<(), TokenFault> {
        match self.required.iter().find(|name| !claims.contains_key(name)) {
            Some(name) => Err(TokenFault::MissingClaim { name }),
            None => Ok(()),
        }
    }

    fn check_confirmation(&self, claim: Option<Value<'_>>) -> Result<(), TokenFault> {
        if self.unproven_senders { Ok(()) } else { confirmation::check(claim) }
    }
}
