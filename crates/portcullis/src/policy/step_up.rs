//! The checks of the user's authentication: its kind, and its age (step-up, RFC 9470).

use std::time::{Duration, SystemTime};

use super::Rules;
use crate::{
    check::{Actual, CheckRow, one_of},
    claims::NumericDate,
    json::{Object, Value},
    refusal::{AccessFault, CheckKind, Refusal},
    units::span,
};

/// The authentication that an endpoint requires.
#[derive(Debug, Clone, Default)]
pub(crate) struct StepUp {
    acr_values: Vec<String>,
    max_age: Option<Duration>,
}

/// The time of a check, and the allowed difference between this machine's clock and the issuer's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    pub(crate) time: SystemTime,
    pub(crate) leeway: Duration,
}

impl StepUp {
    pub(super) fn new(rules: &Rules) -> Self {
        Self { acr_values: rules.acr.clone(), max_age: rules.max_age }
    }

    /// Checks `acr` and `auth_time`; `now` is asked for only if there is a limit of the age. An unknown time passes nobody.
    pub(super) fn check(&self, claims: &Object, now: impl FnOnce() -> Option<Now>) -> Result<(), Refusal> {
        self.check_acr(claims)?;
        match self.max_age {
            Some(_) => self.check_age(claims, now()),
            None => Ok(()),
        }
    }

    /// Tells whether the verdict on the same claims may be another later.
    pub(super) fn depends_on_time(&self) -> bool {
        self.max_age.is_some()
    }

    /// The two checks as an explanation shows them.
    pub(super) fn rows(&self, claims: &Object, now: Now) -> [CheckRow; 2] {
        let acr = CheckRow {
            kind: CheckKind::Acr,
            expected: (!self.acr_values.is_empty()).then(|| one_of(&self.acr_values)),
            actual: Actual::claimed(claims.get("acr")),
            result: self.check_acr(claims),
        };
        let age = CheckRow {
            kind: CheckKind::MaxAge,
            expected: self
                .max_age
                .map(|limit| format!("auth_time at most {} ago, give or take {} s", span(limit), now.leeway.as_secs())),
            actual: Actual::time(claims.get("auth_time")),
            result: self.check_age(claims, Some(now)),
        };
        [acr, age]
    }

    /// `acr` is a case-sensitive string (OpenID Connect Core section 2), compared to the letter.
    fn check_acr(&self, claims: &Object) -> Result<(), Refusal> {
        let is_ours = |acr: Value<'_>| self.acr_values.iter().any(|ours| acr.as_str() == Some(ours));
        if self.acr_values.is_empty() || claims.get("acr").is_some_and(is_ours) {
            Ok(())
        } else {
            Err(self.refusal(false))
        }
    }

    fn check_age(&self, claims: &Object, now: Option<Now>) -> Result<(), Refusal> {
        let Some(limit) = self.max_age else { return Ok(()) };
        let authenticated = NumericDate::of(claims.get("auth_time"), "auth_time").ok().flatten();
        let is_recent = authenticated.zip(now).is_some_and(|(authenticated, Now { time, leeway })| {
            let now = NumericDate::from(time);
            // A time to come would stay recent for longer than the limit.
            authenticated <= now.plus(leeway) && now <= authenticated.plus(limit).plus(leeway)
        });
        if is_recent { Ok(()) } else { Err(self.refusal(true)) }
    }

    /// The refusal that names the whole requirement, so that one more authentication is enough.
    fn refusal(&self, is_too_old: bool) -> Refusal {
        let (acr_values, max_age) = (self.acr_values.clone(), self.max_age);
        Refusal::Access(AccessFault::InsufficientUserAuthentication { acr_values, max_age, is_too_old })
    }
}
