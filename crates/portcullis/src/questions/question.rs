//! The identity of a question, so that no answer is used for another question.

use crate::crypto::{Digest, sha256};

/// A digest of the endpoint, the client, and all that the answer depends on but the token.
///
/// Two processes share answers if their questions are the same to the byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question(Digest);

impl Question {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    #[cfg(test)]
    pub(super) fn of(text: &str) -> Self {
        Parts::default().text(text).question()
    }
}

/// Texts, each after its length, so that no two questions have the same encoding.
#[derive(Default)]
pub(crate) struct Parts(Vec<u8>);

impl Parts {
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.0.extend_from_slice(&(text.len() as u64).to_be_bytes());
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    /// Adds texts whose order does not matter.
    pub(crate) fn set(mut self, mut texts: Vec<&str>) -> Self {
        texts.sort_unstable();
        texts.dedup();
        self.0.extend_from_slice(&(texts.len() as u64).to_be_bytes());
        texts.into_iter().fold(self, Self::text)
    }

    pub(crate) fn question(self) -> Question {
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
