//! The choice of the issuer whose keys and rules judge a token.

use std::{collections::BTreeMap, sync::Arc};

use super::branch::Branch;
use crate::{
    claims::IssuerRules,
    configuration_error::ConfigurationError,
    introspection::Introspector,
    refusal::{Refusal, TokenFault, Unverified},
    token::UnverifiedToken,
    token_cache::Limits,
};

#[derive(Debug)]
pub(super) enum Issuers {
    /// One set of keys and rules, for tokens of any issuer.
    Any(Arc<Branch>),
    /// Chosen by `iss`, to the letter.
    Named(BTreeMap<String, Arc<Branch>>),
}

impl Issuers {
    /// A branch on its own: chosen by its issuer if it names one.
    pub(super) fn single(branch: Branch) -> Self {
        match branch.issuer.clone() {
            Some(issuer) => Self::Named(BTreeMap::from([(issuer, Arc::new(branch))])),
            None => Self::Any(Arc::new(branch)),
        }
    }

    pub(super) fn named(branches: Vec<Branch>) -> Result<Self, ConfigurationError> {
        let mut named = BTreeMap::new();
        for branch in branches {
            let issuer = branch.issuer.clone().ok_or(ConfigurationError::UnnamedIssuer)?;
            if named.insert(issuer.clone(), Arc::new(branch)).is_some() {
                return Err(ConfigurationError::DuplicateIssuer { issuer });
            }
        }
        if named.values().filter(|branch| branch.introspector.is_some()).count() > 1 {
            return Err(ConfigurationError::SeveralIntrospectors);
        }
        if named.is_empty() { Err(ConfigurationError::NoIssuer) } else { Ok(Self::Named(named)) }
    }

    /// The introspector for opaque tokens, and its issuer.
    pub(super) fn introspecting(&self) -> Option<(Introspector, Arc<Branch>)> {
        let introspects = |branch: &Arc<Branch>| Some((branch.introspector.clone()?, Arc::clone(branch)));
        match self {
            Self::Any(branch) => introspects(branch),
            Self::Named(branches) => branches.values().find_map(introspects),
        }
    }

    /// The limits of the cache that all issuers share.
    pub(super) fn cache(&self) -> Option<Limits> {
        match self {
            Self::Any(branch) => branch.cache(),
            Self::Named(branches) => branches.values().filter_map(|branch| branch.cache()).reduce(Limits::widest),
        }
    }

    /// The length of the longest accepted token of any issuer, in bytes.
    pub(super) fn max_token_bytes(&self) -> usize {
        self.branches().iter().map(|branch| branch.max_token_bytes()).max().unwrap_or_default()
    }

    /// Chooses by the token's unverified claims: the signature is verified with the keys of the chosen issuer.
    pub(super) fn choose(&self, token: &UnverifiedToken<'_>) -> Result<&Arc<Branch>, Refusal> {
        self.choose_by(|| token.claimed_issuer(), || token.claimed_trust_domain())
    }

    /// The same by lazy claims: by the issuer, and if it is unknown, by the trust domain.
    pub(super) fn choose_by<'a>(
        &self,
        claimed: impl FnOnce() -> Result<&'a str, Refusal>,
        trust_domain: impl FnOnce() -> Option<&'a str>,
    ) -> Result<&Arc<Branch>, Refusal> {
        let branches = match self {
            Self::Any(branch) => return Ok(branch),
            Self::Named(branches) => branches,
        };
        let claimed = claimed();
        let by_issuer = claimed.as_ref().ok().and_then(|issuer| branches.get(*issuer));
        let by_domain = || branches.get(trust_domain()?).filter(|branch| branch.rules.trust_domain.is_some());
        if let Some(branch) = by_issuer.or_else(by_domain) {
            return Ok(branch);
        }
        if branches.values().all(|branch| branch.rules.trust_domain.is_some()) {
            return Err(Refusal::Token(TokenFault::TrustDomain));
        }
        Err(Refusal::Token(TokenFault::Issuer { actual: Unverified::new(claimed?) }))
    }

    /// The one that has these very rules.
    pub(super) fn of_rules(&self, rules: &Arc<IssuerRules>) -> Option<&Arc<Branch>> {
        let has = |branch: &&Arc<Branch>| Arc::ptr_eq(&branch.rules, rules);
        match self {
            Self::Any(branch) => Some(branch).filter(has),
            Self::Named(branches) => branches.values().find(has),
        }
    }

    pub(super) fn first_clock(&self) -> Option<&Arc<dyn crate::clock::Clock>> {
        match self {
            Self::Any(branch) => Some(&branch.clock),
            Self::Named(branches) => branches.values().next().map(|branch| &branch.clock),
        }
    }

    pub(super) fn branches(&self) -> Vec<&Arc<Branch>> {
        match self {
            Self::Any(branch) => vec![branch],
            Self::Named(branches) => branches.values().collect(),
        }
    }
}
