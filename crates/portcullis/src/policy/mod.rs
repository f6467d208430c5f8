//! From a [`ProvenToken`] to a [`VerifiedToken`] that may pass here: the scope and the claims that an endpoint requires.
//!
//! [`Rules`] hold the requirements as data; [`Policy`] is made from them once and checks without an allocation. A new rule
//! for claims is a field of [`ClaimRule`] and a row of [`ClaimCheck`], which explanations show.

mod claim_check;
mod claim_rule;
mod implied_scopes;
mod invalid_token_status;
mod own_rule;
mod rules;
mod scope_check;
mod step_up;

pub use claim_rule::ClaimRule;
pub use invalid_token_status::InvalidTokenStatus;
pub use rules::Rules;

pub(crate) use claim_check::ClaimCheck;
pub(crate) use own_rule::OwnRule;
pub(crate) use rules::check_scopes;
pub(crate) use scope_check::{ScopeCheck, insufficient_scope};
pub(crate) use step_up::Now;

use std::time::SystemTime;

use crate::{
    check::{Actual, CheckRow},
    claims::{Claims, GrantedScope, VerifiedToken},
    json::Object,
    proof::ProvenToken,
    refusal::{CheckKind, ConfigurationFault, Refusal},
};
use implied_scopes::ImpliedScopes;
use step_up::StepUp;

/// The checks that an endpoint makes of a verified token, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policy {
    pub(crate) step_up: StepUp,
    pub(crate) scope: ScopeCheck,
    pub(crate) claims: Vec<ClaimCheck>,
    pub(crate) own: Vec<OwnRule>,
    implied: ImpliedScopes,
}

impl Policy {
    pub(crate) fn new(rules: &Rules, own: Vec<OwnRule>) -> Self {
        let implied = ImpliedScopes::new(&rules.implied_scopes);
        Self {
            step_up: StepUp::new(rules),
            scope: ScopeCheck::new(rules, &implied),
            claims: rules.claims.iter().map(ClaimCheck::new).collect(),
            own,
            implied,
        }
    }

    /// Checks a token; `now` gives the time by its issuer's clock, and is called only if a rule depends on it.
    ///
    /// The user's authentication comes first: its challenge names the scope, too, so that one more authorization is enough.
    pub(crate) fn check(
        &self,
        token: ProvenToken,
        now: impl FnOnce(&VerifiedToken) -> Option<SystemTime>,
    ) -> Result<VerifiedToken, Refusal> {
        let claims = token.claims();
        self.step_up.check(claims, || now(&token).map(|time| Now { time, leeway: token.rules().leeway }))?;
        self.scope.check(|| token.granted_scope())?;
        self.claims.iter().try_for_each(|rule| rule.check(claims))?;
        self.own.iter().try_for_each(|rule| rule.check(claims))?;
        Ok(token.into_token())
    }

    /// Tells whether a check depends on more than the token: on the time, or on a closure.
    pub(crate) fn depends_on_more(&self) -> bool {
        self.step_up.depends_on_time() || !self.own.is_empty()
    }

    /// The check of further scope values: the same implied values count.
    pub(crate) fn scope_check(&self, values: &[String]) -> ScopeCheck {
        ScopeCheck::of_all(values, &self.implied)
    }

    /// Tells whether a token grants this scope value, directly or by another value that implies it.
    pub(crate) fn has_scope(&self, token: &VerifiedToken, value: &str) -> bool {
        let scope = token.granted_scope();
        scope.has(value) || self.implied.granting(value).iter().any(|value| scope.has(value))
    }

    /// Every check with its result, for an explanation; `scope` is the scope that these claims grant.
    pub(crate) fn rows(&self, claims: &Object, scope: GrantedScope<'_>, now: Now, are_vouched: bool) -> Vec<CheckRow> {
        let authentication = self.step_up.rows(claims, now);
        let asked_scope = CheckRow {
            kind: CheckKind::Scope,
            expected: (!self.scope.is_empty()).then(|| self.scope.expected()),
            actual: Actual::Claimed(scope.in_words()),
            result: self.scope.check(|| scope),
        };
        let asked_claims = self.claims.iter().map(|rule| rule.row(claims));
        // Only claims that are vouched for are passed to the application's closures.
        let vouched = Claims::new(claims.clone());
        let own = self.own.iter().filter(|_| are_vouched).map(|rule| rule.row(&vouched));
        authentication.into_iter().chain([asked_scope]).chain(asked_claims).chain(own).collect()
    }
}

/// The refusal by a rule that no token can meet.
fn mistaken(check: CheckKind, problem: String) -> Refusal {
    Refusal::Configuration(ConfigurationFault::MistakenRule { check, problem })
}

#[cfg(test)]
mod tests;
