//! The parts of a verifier that explanations use: they walk the same line, and on past a failure.

use std::sync::Arc;

use super::{Verifier, branch::Branch};
use crate::{bearer::BearerToken, json::Object, refusal::Refusal, token};

impl Verifier {
    /// Every issuer's keys and rules.
    pub(crate) fn branches(&self) -> Vec<&Arc<Branch>> {
        self.0.issuers.branches()
    }

    /// The issuer that claims choose, whoever made them.
    pub(crate) fn choose(&self, claims: &Object) -> Result<&Arc<Branch>, Refusal> {
        self.0.issuers.choose_by(|| token::claimed_issuer(claims), || token::claimed_trust_domain(claims))
    }

    /// The issuer that is asked about this token, if it is opaque and there is one.
    pub(crate) fn introspecting(&self, token: BearerToken<'_>) -> Option<&Arc<Branch>> {
        self.opaque(token).map(|opaque| opaque.branch())
    }
}
