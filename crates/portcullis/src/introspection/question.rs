//! The identity of a question, so that no answer is used for another question.

use super::Introspector;
use crate::{
    algorithm::Algorithm,
    crypto::{Digest, sha256},
    token::HeaderRules,
};

/// A digest of the endpoint, the form, the client and the rules for the answer.
///
/// Two processes share answers if their questions are the same to the byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question(Digest);

impl Introspector {
    /// The question that this introspector asks on behalf of rules.
    pub(crate) fn question(&self, issuer: Option<&str>, audiences: &[String], header: &HeaderRules) -> Question {
        let settings = &self.0.settings;
        let algorithms: Vec<_> = header.algorithms.iter().copied().map(Algorithm::name).collect();
        let types: Vec<_> = header.types.accepted.iter().map(String::as_str).collect();
        let audiences: Vec<_> = audiences.iter().map(String::as_str).collect();
        Parts::default()
            // The URL with its query, since any part of it may name a tenant.
            .text(settings.endpoint.as_str())
            .text(settings.form.media_type())
            .text(settings.client.id())
            .text(settings.client.method())
            .text(&settings.assertion_audience)
            .set(issuer.into_iter().collect())
            .set(audiences)
            .set(algorithms)
            .set(types)
            .question()
    }
}

impl Question {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    #[cfg(test)]
    pub(super) fn of(text: &str) -> Self {
        Parts::default().text(text).question()
    }
}

/// Texts, each after its length, so that no two questions have the same encoding.
#[derive(Default)]
struct Parts(Vec<u8>);

impl Parts {
    fn text(mut self, text: &str) -> Self {
        self.0.extend_from_slice(&(text.len() as u64).to_be_bytes());
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    /// Adds texts whose order does not matter.
    fn set(mut self, mut texts: Vec<&str>) -> Self {
        texts.sort_unstable();
        texts.dedup();
        self.0.extend_from_slice(&(texts.len() as u64).to_be_bytes());
        texts.into_iter().fold(self, Self::text)
    }

    fn question(self) -> Question {
        Question(sha256(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_questions_are_written_alike() {
        let (a, b) = (|| Parts::default().text("a"), || Parts::default().text("ab"));
        let questions = [
            a().question(),
            b().question(),
            a().text("b").question(),
            Parts::default().text("").text("ab").question(),
            Parts::default().set(vec!["a", "b"]).question(),
            Parts::default().set(vec!["a"]).set(vec!["b"]).question(),
            Parts::default().set(vec![]).set(vec!["a", "b"]).question(),
        ];
        for (at, question) in questions.iter().enumerate() {
            assert_eq!(questions.iter().position(|other| other == question), Some(at));
        }
        assert_eq!(Parts::default().set(vec!["b", "a"]).question(), Parts::default().set(vec!["a", "b"]).question());
    }
}
