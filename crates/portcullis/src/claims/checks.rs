//! The checks of registered claims, a row each (RFC 7519 section 4.1, RFC 9068 section 4).
//!
//! Verification makes them in this order, and an explanation shows them. Checks of times have a table of their own, since
//! they are repeated for each request with a cached token. A new check is a row here, with its [`CheckKind`], its fault,
//! and its field of [`IssuerRules`].

use std::time::{Duration, SystemTime};

use super::{
    confirmation::Confirmation,
    find::find,
    numeric_date::NumericDate,
    pattern::Pattern,
    registered::Registered,
    rules::IssuerRules,
    window::{Bound, Bounds, TimeClaim, Window},
};
use crate::{
    check::{Actual, CheckRow, one_of},
    json::{Object, Value},
    refusal::{CheckKind, Refusal, TokenFault, Unverified},
    token,
    units::span,
};

/// A check of a time against now.
struct TimeCheck {
    kind: CheckKind,
    claim: TimeClaim,
    /// Tells whether the check applies; its argument is true if the claim is present. If the check applies to an absent
    /// claim, the claim is missing.
    is_asked: fn(&IssuerRules, bool) -> bool,
    bound: fn(&IssuerRules, NumericDate) -> Bound,
    /// The fault of a claim whose bound does not hold now.
    fault: fn(&IssuerRules, NumericDate, now: NumericDate) -> TokenFault,
    expected: fn(&IssuerRules) -> String,
}

/// A check whose result does not depend on the time.
struct ClaimCheck {
    kind: CheckKind,
    is_asked: fn(&IssuerRules, &Registered<'_>) -> bool,
    check: fn(&IssuerRules, &Registered<'_>) -> Result<(), TokenFault>,
    expected: fn(&IssuerRules) -> String,
    actual: fn(&IssuerRules, &Registered<'_>) -> Actual,
}

const TIME_CHECKS: [TimeCheck; 4] = [
    TimeCheck {
        kind: CheckKind::Expiry,
        claim: TimeClaim::Exp,
        is_asked: |rules, is_there| is_there || !rules.dangerously_accept_tokens_without_expiry,
        bound: |rules, exp| Bound::Until(exp.plus(rules.leeway)),
        fault: |_, exp, now| TokenFault::Expired { ago: now.since(exp) },
        expected: |rules| format!("later than now, give or take {} s", rules.leeway.as_secs()),
    },
    TimeCheck {
        kind: CheckKind::NotBefore,
        claim: TimeClaim::Nbf,
        is_asked: |_, is_there| is_there,
        bound: |rules, nbf| Bound::From(nbf.minus(rules.leeway)),
        fault: |_, nbf, now| TokenFault::NotYetValid { ahead: nbf.since(now) },
        expected: not_later_than_now,
    },
    TimeCheck {
        kind: CheckKind::IssuedAt,
        claim: TimeClaim::Iat,
        is_asked: |_, is_there| is_there,
        bound: |rules, iat| Bound::From(iat.minus(rules.leeway)),
        fault: |_, iat, now| TokenFault::IssuedInFuture { ahead: iat.since(now) },
        expected: not_later_than_now,
    },
    TimeCheck {
        kind: CheckKind::Age,
        claim: TimeClaim::Iat,
        is_asked: |rules, _| rules.max_token_age.is_some(),
        bound: |rules, iat| Bound::Until(iat.plus(max_age(rules)).plus(rules.leeway)),
        fault: |rules, iat, now| TokenFault::Age { limit: max_age(rules), actual: now.since(iat) },
        expected: |rules| {
            let (limit, leeway) = (span(max_age(rules)), rules.leeway.as_secs());
            format!("at most {limit} ago, give or take {leeway} s")
        },
    },
];

const CLAIM_CHECKS: &[ClaimCheck] = &[
    ClaimCheck {
        kind: CheckKind::Lifetime,
        is_asked: |rules, _| rules.max_token_lifetime.is_some(),
        check: short_lived,
        expected: |rules| format!("from iat to exp {} at the most", span(rules.max_token_lifetime.unwrap_or_default())),
        actual: |_, claims| Actual::Claimed(lifetime(claims).map_or_else(|_| "not told".to_owned(), span)),
    },
    ClaimCheck {
        kind: CheckKind::Issuer,
        is_asked: |rules, _| rules.issuer.is_some() || rules.trust_domain.is_some(),
        check: of_issuer,
        expected: |rules| {
            let name = rules.issuer_name().unwrap_or_default();
            if rules.trust_domain.is_some() { format!("a `sub` of the trust domain {name}") } else { name }
        },
        actual: |_, claims| Actual::claimed(claims.iss),
    },
    ClaimCheck {
        kind: CheckKind::Tenant,
        is_asked: |rules, _| rules.tenant_claim.is_some(),
        check: of_tenant,
        expected: |rules| {
            let claim = rules.tenant_claim.as_deref().unwrap_or_default();
            format!("`{claim}` equal to the tenant in `iss`")
        },
        actual: |rules, claims| Actual::claimed(tenant_claim(rules, claims)),
    },
    ClaimCheck {
        kind: CheckKind::Subject,
        is_asked: |rules, _| !rules.subjects.is_empty(),
        check: of_subject,
        expected: |rules| one_of(&rules.subjects),
        actual: |_, claims| Actual::claimed(claims.sub),
    },
    ClaimCheck {
        kind: CheckKind::Audience,
        is_asked: |rules, _| !rules.audience.is_empty(),
        check: for_audience,
        expected: |rules| one_of(&rules.audience),
        actual: |_, claims| Actual::claimed(claims.aud),
    },
    ClaimCheck {
        kind: CheckKind::RequiredClaims,
        is_asked: |rules, _| !rules.required_claims().is_empty(),
        check: complete,
        expected: |rules| rules.required_claims().join(", "),
        actual: |_, _| Actual::Nothing,
    },
    ClaimCheck {
        kind: CheckKind::Confirmation,
        is_asked: |rules, claims| claims.cnf.is_some() && !rules.dangerously_accept_sender_constrained_tokens,
        check: |rules, claims| rules.confirmation(claims.cnf).map(drop),
        expected: |_| "a thumbprint of a key (jkt), of a certificate (x5t#S256), or both".to_owned(),
        actual: |_, claims| Actual::claimed(claims.cnf),
    },
];

/// The findings of the checks, which are judged again at each request.
pub(crate) struct Checked {
    /// The time in which the token is good.
    pub(super) window: Window,
    /// The keys that the token is bound to.
    pub(super) confirmation: Option<Confirmation>,
}

impl IssuerRules {
    /// Makes the checks in order; the first failure is the refusal.
    pub(crate) fn check_claims(&self, claims: &Object, now: NumericDate) -> Result<Checked, TokenFault> {
        let claims = Registered::of(claims);
        // Written out: in a loop, the compiler calls the functions of each row by pointer.
        let [expiry, not_before, issued_at, age] = &TIME_CHECKS;
        let bounds = Bounds::NONE
            .and(expiry.check(self, &claims, now)?)
            .and(not_before.check(self, &claims, now)?)
            .and(issued_at.check(self, &claims, now)?)
            .and(age.check(self, &claims, now)?);
        for row in CLAIM_CHECKS {
            row.check(self, &claims)?;
        }
        Ok(Checked { window: bounds.into(), confirmation: self.confirmation(claims.cnf)? })
    }

    /// The keys that a token with this `cnf` is bound to, by these rules.
    pub(crate) fn confirmation(&self, cnf: Option<Value<'_>>) -> Result<Option<Confirmation>, TokenFault> {
        Confirmation::of(cnf.filter(|_| !self.dangerously_accept_sender_constrained_tokens))
    }

    /// Every check with its result, for an explanation: also those after a failed one.
    pub(crate) fn claim_rows(&self, claims: &Object, now: SystemTime) -> Vec<CheckRow> {
        let claims = Registered::of(claims);
        let times = TIME_CHECKS.iter().map(|row| row.shown(self, &claims, now));
        times.chain(CLAIM_CHECKS.iter().map(|row| row.shown(self, &claims))).collect()
    }
}

impl TimeCheck {
    /// The bound that the check sets; none if it does not apply.
    #[inline(always)] // So that the functions of each row are known where it is checked.
    fn check(
        &self,
        rules: &IssuerRules,
        claims: &Registered<'_>,
        now: NumericDate,
    ) -> Result<Option<Bound>, TokenFault> {
        let value = claims.get(self.claim);
        if !(self.is_asked)(rules, value.is_some()) {
            return Ok(None);
        }
        match NumericDate::read(value).map(|time| (self.bound)(rules, time)) {
            Some(bound) if bound.holds(now) => Ok(Some(bound)),
            _ => Err(self.failure(rules, value, now)),
        }
    }

    #[cold]
    fn failure(&self, rules: &IssuerRules, value: Option<Value<'_>>, now: NumericDate) -> TokenFault {
        match NumericDate::of(value, self.claim.name()) {
            Ok(Some(time)) => (self.fault)(rules, time, now),
            Ok(None) => TokenFault::MissingClaim { name: self.claim.name() },
            Err(malformed) => malformed,
        }
    }

    fn shown(&self, rules: &IssuerRules, claims: &Registered<'_>, now: SystemTime) -> CheckRow {
        let value = claims.get(self.claim);
        CheckRow {
            kind: self.kind,
            expected: (self.is_asked)(rules, value.is_some()).then(|| (self.expected)(rules)),
            actual: Actual::time(value),
            result: self.check(rules, claims, now.into()).map(drop).map_err(Refusal::Token),
        }
    }
}

impl ClaimCheck {
    #[inline(always)] // The loop over the rows is unrolled, so that the functions of each row are known there.
    fn check(&self, rules: &IssuerRules, claims: &Registered<'_>) -> Result<(), TokenFault> {
        if (self.is_asked)(rules, claims) { (self.check)(rules, claims) } else { Ok(()) }
    }

    fn shown(&self, rules: &IssuerRules, claims: &Registered<'_>) -> CheckRow {
        CheckRow {
            kind: self.kind,
            expected: (self.is_asked)(rules, claims).then(|| (self.expected)(rules)),
            actual: (self.actual)(rules, claims),
            result: self.check(rules, claims).map_err(Refusal::Token),
        }
    }
}

fn not_later_than_now(rules: &IssuerRules) -> String {
    format!("not later than now, give or take {} s", rules.leeway.as_secs())
}

/// The limit of the time since `iat`, where one is set.
fn max_age(rules: &IssuerRules) -> Duration {
    rules.max_token_age.unwrap_or(Duration::MAX)
}

/// The time from `iat` to `exp` must not exceed its limit: a longer one is a mistake of the issuer.
fn short_lived(rules: &IssuerRules, claims: &Registered<'_>) -> Result<(), TokenFault> {
    let lifetime = lifetime(claims)?;
    match rules.max_token_lifetime {
        Some(limit) if lifetime > limit => Err(TokenFault::Lifetime { limit, actual: lifetime }),
        _ => Ok(()),
    }
}

fn lifetime(claims: &Registered<'_>) -> Result<Duration, TokenFault> {
    let time = |claim: TimeClaim| claims.time(claim)?.ok_or(TokenFault::MissingClaim { name: claim.name() });
    Ok(time(TimeClaim::Exp)?.since(time(TimeClaim::Iat)?))
}

/// `iss` is a case-sensitive string, compared to the letter (RFC 7519 section 4.1.1); with a trust domain, `sub` is checked.
fn of_issuer(rules: &IssuerRules, claims: &Registered<'_>) -> Result<(), TokenFault> {
    if rules.trust_domain.is_some() {
        let id = claims.sub.and_then(Value::as_str).and_then(token::trust_domain);
        return if rules.is_of_trust_domain(id) { Ok(()) } else { Err(TokenFault::TrustDomain) };
    }
    let Some(claim) = claims.iss else { return Err(TokenFault::MissingClaim { name: "iss" }) };
    match claim.as_str() {
        Some(issuer) if rules.tenant_claim.is_some() && rules.tenant_of(issuer).is_some() => Ok(()),
        Some(issuer) if rules.tenant_claim.is_none() && Some(issuer) == rules.issuer.as_deref() => Ok(()),
        Some(issuer) => {
            let expected = rules.issuer.iter().cloned().collect();
            Err(TokenFault::Issuer { expected, actual: Unverified::new(issuer) })
        }
        None => Err(TokenFault::MalformedClaim { name: "iss", expected: "a string" }),
    }
}

/// The tenant of `iss` is the one in the tenant's claim: keys that many tenants share sign for all of them.
fn of_tenant(rules: &IssuerRules, claims: &Registered<'_>) -> Result<(), TokenFault> {
    let tenant = claims.iss.and_then(Value::as_str).and_then(|issuer| rules.tenant_of(issuer));
    let claimed = tenant_claim(rules, claims).and_then(Value::as_str);
    if tenant.is_some() && tenant == claimed { Ok(()) } else { Err(TokenFault::Tenant) }
}

fn tenant_claim<'a>(rules: &IssuerRules, claims: &Registered<'a>) -> Option<Value<'a>> {
    find(claims.all, rules.tenant_claim.as_deref()?)
}

/// `sub` is a text that matches a pattern as a whole.
fn of_subject(rules: &IssuerRules, claims: &Registered<'_>) -> Result<(), TokenFault> {
    let is_accepted = |subject| rules.subjects.iter().any(|pattern| Pattern::new(pattern).matches(subject));
    let subject = claims.sub.and_then(Value::as_str);
    if subject.is_some_and(is_accepted) {
        Ok(())
    } else {
        Err(TokenFault::Subject { expected: rules.subjects.clone() })
    }
}

/// `aud` is a string or an array of strings, one of which has to be one of our audiences (RFC 7519 section 4.1.3).
fn for_audience(rules: &IssuerRules, claims: &Registered<'_>) -> Result<(), TokenFault> {
    let Some(claim) = claims.aud else { return Err(TokenFault::MissingClaim { name: "aud" }) };
    let ours = |audience: &str| rules.audience.iter().any(|ours| ours == audience);
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
    if named { Ok(()) } else { Err(TokenFault::Audience { expected: rules.audience.clone() }) }
}

/// All claims that RFC 9068 requires are present.
fn complete(rules: &IssuerRules, claims: &Registered<'_>) -> Result<(), TokenFault> {
    match rules.required_claims().iter().find(|name| !claims.all.contains_key(name)) {
        Some(name) => Err(TokenFault::MissingClaim { name }),
        None => Ok(()),
    }
}
