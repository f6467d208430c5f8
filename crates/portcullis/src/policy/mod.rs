//! From a [`VerifiedToken`] to one that may pass here: the scope and the claims that an endpoint asks for.

mod claim_rule;

pub(crate) use claim_rule::ClaimRule;

use crate::{
    claims::{VerifiedToken, grants},
    json::Object,
    refusal::{AccessFault, Refusal},
};

/// What an endpoint asks of a token beyond its being good.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policy {
    /// Scope values, all of which must be granted.
    pub(crate) all_scopes: Vec<String>,
    /// Groups of scope values, one of each of which must be granted.
    pub(crate) any_scopes: Vec<Vec<String>>,
    /// Claims that must be there, or have a value.
    pub(crate) claims: Vec<ClaimRule>,
}

impl Policy {
    pub(crate) fn check(&self, token: VerifiedToken) -> Result<VerifiedToken, Refusal> {
        self.check_scopes(token.claims())?;
        self.claims.iter().try_for_each(|rule| check_claim(rule, token.claims()))?;
        Ok(token)
    }

    /// The scope that is asked for, for people; none if none is.
    pub(crate) fn asked_scope(&self) -> Option<String> {
        let all = (!self.all_scopes.is_empty()).then(|| self.all_scopes.join(" "));
        let any = self.any_scopes.iter().map(|group| format!("one of {}", group.join(" ")));
        let asked: Vec<String> = all.into_iter().chain(any).collect();
        (!asked.is_empty()).then(|| asked.join(", and "))
    }

    pub(crate) fn check_scopes(&self, claims: &Object) -> Result<(), Refusal> {
        let granted = |value: &String| grants(claims, value);
        let satisfied =
            self.all_scopes.iter().all(granted) && self.any_scopes.iter().all(|group| group.iter().any(granted));
        if satisfied {
            return Ok(());
        }
        let required: Vec<&str> =
            self.all_scopes.iter().chain(self.any_scopes.iter().flatten()).map(String::as_str).collect();
        Err(Refusal::Access(AccessFault::InsufficientScope { required: required.join(" ") }))
    }
}

/// Holds claims against a rule.
pub(crate) fn check_claim(rule: &ClaimRule, claims: &Object) -> Result<(), Refusal> {
    if rule.is_met(claims) {
        return Ok(());
    }
    Err(Refusal::Access(AccessFault::RequiredClaims { claim: rule.name().to_owned() }))
}

#[cfg(test)]
mod tests;
