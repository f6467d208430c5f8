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
    /// Chosen by `iss`.
    Named {
        /// To the letter.
        names: BTreeMap<String, Arc<Branch>>,
        /// By a template of the issuers of all tenants, where no name fits; no issuer is one of two.
        templates: Vec<Arc<Branch>>,
        /// The texts of `iss`, for the reason of a refusal.
        known: Arc<[String]>,
    },
}

impl Issuers {
    /// A branch on its own: chosen by its issuer if it names one.
    pub(super) fn single(branch: Branch) -> Self {
        let branch = Arc::new(branch);
        match branch.issuer.clone() {
            Some(_) if branch.rules.template().is_some() => Self::of(BTreeMap::new(), vec![branch]),
            Some(issuer) => Self::of(BTreeMap::from([(issuer, branch)]), Vec::new()),
            None => Self::Any(branch),
        }
    }

    pub(super) fn named(branches: Vec<Branch>) -> Result<Self, ConfigurationError> {
        let (mut names, mut templates) = (BTreeMap::new(), Vec::<Arc<Branch>>::new());
        for branch in branches.into_iter().map(Arc::new) {
            let issuer = branch.issuer.clone().ok_or(ConfigurationError::UnnamedIssuer)?;
            let is_twice = match branch.rules.template() {
                Some(template) => {
                    let mut others = templates.iter().filter_map(|other| other.rules.template());
                    let is_twice = others.any(|other| other.overlaps(&template));
                    templates.push(branch);
                    is_twice
                }
                None => names.insert(issuer.clone(), branch).is_some(),
            };
            if is_twice {
                return Err(ConfigurationError::DuplicateIssuer { issuer });
            }
        }
        if names.values().filter(|branch| branch.introspector.is_some()).count() > 1 {
            return Err(ConfigurationError::SeveralIntrospectors);
        }
        if names.is_empty() && templates.is_empty() {
            return Err(ConfigurationError::NoIssuer);
        }
        Ok(Self::of(names, templates))
    }

    fn of(names: BTreeMap<String, Arc<Branch>>, templates: Vec<Arc<Branch>>) -> Self {
        let known = names.values().chain(&templates).filter_map(|branch| branch.rules.issuer.clone()).collect();
        Self::Named { names, templates, known }
    }

    /// The introspector for opaque tokens, and its issuer.
    pub(super) fn introspecting(&self) -> Option<(Introspector, Arc<Branch>)> {
        let introspects = |branch: &Arc<Branch>| Some((branch.introspector.clone()?, Arc::clone(branch)));
        self.branches().into_iter().find_map(introspects)
    }

    /// The limits of the cache that all issuers share.
    pub(super) fn cache(&self) -> Option<Limits> {
        self.branches().into_iter().filter_map(|branch| branch.cache()).reduce(Limits::widest)
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
        let (names, templates, known) = match self {
            Self::Any(branch) => return Ok(branch),
            Self::Named { names, templates, known } => (names, templates, known),
        };
        let claimed = claimed();
        let by_issuer = claimed.as_ref().ok().and_then(|issuer| {
            names.get(*issuer).or_else(|| templates.iter().find(|branch| branch.is_issuer_of_tenant(issuer)))
        });
        let by_domain = || names.get(trust_domain()?).filter(|branch| branch.rules.trust_domain.is_some());
        if let Some(branch) = by_issuer.or_else(by_domain) {
            return Ok(branch);
        }
        if self.branches().iter().all(|branch| branch.rules.trust_domain.is_some()) {
            return Err(Refusal::Token(TokenFault::TrustDomain));
        }
        Err(Refusal::Token(TokenFault::Issuer { expected: Arc::clone(known), actual: Unverified::new(claimed?) }))
    }

    /// The one that has these very rules.
    pub(super) fn of_rules(&self, rules: &Arc<IssuerRules>) -> Option<&Arc<Branch>> {
        let has = |branch: &&Arc<Branch>| Arc::ptr_eq(&branch.rules, rules);
        match self {
            Self::Any(branch) => Some(branch).filter(has),
            Self::Named { names, templates, .. } => names.values().chain(templates).find(has),
        }
    }

    pub(super) fn first_clock(&self) -> Option<&Arc<dyn crate::clock::Clock>> {
        match self {
            Self::Any(branch) => Some(&branch.clock),
            Self::Named { names, templates, .. } => names.values().chain(templates).next().map(|branch| &branch.clock),
        }
    }

    pub(super) fn branches(&self) -> Vec<&Arc<Branch>> {
        match self {
            Self::Any(branch) => vec![branch],
            Self::Named { names, templates, .. } => names.values().chain(templates).collect(),
        }
    }
}
