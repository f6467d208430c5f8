//! The identity of an introspection: of the endpoint, the form, the client and the rules for the answer.

use super::Introspector;
use crate::{
    algorithm::Algorithm,
    questions::{Parts, Question},
    token::HeaderRules,
};

impl Introspector {
    /// The question that this introspector asks on behalf of rules.
    pub(crate) fn question(&self, issuer: Option<&str>, audiences: &[String], header: &HeaderRules) -> Question {
        let endpoint = &self.0.endpoint;
        let algorithms: Vec<_> = header.algorithms.iter().copied().map(Algorithm::name).collect();
        let types: Vec<_> = header.types.accepted.iter().map(String::as_str).collect();
        let audiences: Vec<_> = audiences.iter().map(String::as_str).collect();
        Parts::default()
            // The URL with its query, since any part of it may name a tenant.
            .text(&endpoint.identity())
            .text(self.form().media_type())
            .text(endpoint.client().id())
            .text(endpoint.client().method())
            .text(endpoint.assertion_audience().unwrap_or_default())
            .set(issuer.into_iter().collect())
            .set(audiences)
            .set(algorithms)
            .set(types)
            .question()
    }
}
