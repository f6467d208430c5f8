//! The parts of a verifier for explanations, which walk the same line and go on past a failure.

use std::sync::Arc;

use super::{Verifier, branch::Branch};
use crate::{bearer::BearerToken, json::Object, refusal::Refusal, token};

impl Verifier {
    /// The keys and rules of all issuers.
    pub(crate) fn branches(&self) -> Vec<&Arc<Branch>> {
        self.0.issuers.branches()
    }

    /// The issuer that unverified claims choose.
    pub(crate) fn choose(&self, claims: &Object) -> Result<&Arc<Branch>, Refusal> {
        self.0.issuers.choose_by(|| token::claimed_issuer(claims), || token::claimed_trust_domain(claims))
    }

    /// The issuer that is asked about this token; none for a JWT, or without introspection.
    pub(crate) fn introspecting(&self, token: BearerToken<'_>) -> Option<&Arc<Branch>> {
        self.opaque(token).map(|opaque| opaque.branch())
    }
}
