//! From a [`VerifiedToken`] to [`Access`]: the scope and the claims that an endpoint asks for.

mod access;
mod claim_rule;

pub use access::Access;
pub(crate) use claim_rule::ClaimRule;

use crate::{
    claims::{VerifiedToken, scopes},
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
    pub(crate) fn check(&self, token: VerifiedToken) -> Result<Access, Refusal> {
        self.check_scopes(&token)?;
        self.check_claims(&token)?;
        Ok(Access::new(token))
    }

    /// Scope values are compared to the letter (RFC 6749 section 3.3).
    fn check_scopes(&self, token: &VerifiedToken) -> Result<(), Refusal> {
        let granted = |value: &String| scopes(token.claims()).any(|scope| scope == value);
        let satisfied =
            self.all_scopes.iter().all(granted) && self.any_scopes.iter().all(|group| group.iter().any(granted));
        if satisfied {
            return Ok(());
        }
        let required: Vec<&str> =
            self.all_scopes.iter().chain(self.any_scopes.iter().flatten()).map(String::as_str).collect();
        Err(Refusal::Access(AccessFault::InsufficientScope { required: required.join(" ") }))
    }

    fn check_claims(&self, token: &VerifiedToken) -> Result<(), Refusal> {
        match self.claims.iter().find(|rule| !rule.is_met(token.claims())) {
            Some(rule) => Err(Refusal::Access(AccessFault::RequiredClaims { claim: rule.name().to_owned() })),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
