//! Which issuer's keys and rules a token is judged by.

use std::collections::HashMap;

use super::branch::Branch;
use crate::{
    ConfigurationError,
    refusal::{Refusal, TokenFault, Unverified},
    token::UnverifiedToken,
};

#[derive(Debug)]
pub(super) enum Issuers {
    /// One set of keys and rules, for whatever issuer the token names.
    Any(Branch),
    /// Chosen by `iss`, to the letter.
    Named(HashMap<String, Branch>),
}

impl Issuers {
    /// A branch on its own: chosen by its issuer if it names one.
    pub(super) fn single(branch: Branch) -> Self {
        match branch.claims.issuer.clone() {
            Some(issuer) => Self::Named(HashMap::from([(issuer, branch)])),
            None => Self::Any(branch),
        }
    }

    pub(super) fn named(branches: Vec<Branch>) -> Result<Self, ConfigurationError> {
        let mut named = HashMap::new();
        for branch in branches {
            let issuer = branch.claims.issuer.clone().ok_or(ConfigurationError::UnnamedIssuer)?;
            if named.insert(issuer.clone(), branch).is_some() {
                return Err(ConfigurationError::DuplicateIssuer { issuer });
            }
        }
        if named.is_empty() { Err(ConfigurationError::NoIssuer) } else { Ok(Self::Named(named)) }
    }

    /// Chooses by what the token claims; whether it claims so rightly, the signature will tell.
    pub(super) fn choose(&self, token: &UnverifiedToken<'_>) -> Result<&Branch, Refusal> {
        match self {
            Self::Any(branch) => Ok(branch),
            Self::Named(branches) => {
                let issuer = token.claimed_issuer()?;
                let unknown = || Refusal::Token(TokenFault::Issuer { actual: Unverified::new(issuer) });
                branches.get(issuer).ok_or_else(unknown)
            }
        }
    }
}
