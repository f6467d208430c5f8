//! Parts of the faults of an MCP message: [`MessageFault`], [`MessageId`].

use std::fmt;

use super::JsonFault;

/// The fault of the content that should be a JSON-RPC message.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageFault {
    /// It ended too early.
    CutOff,
    /// It is not strict JSON.
    Json(JsonFault),
    /// It is JSON, but not a message, or one that readers understand differently.
    Form {
        /// The expected form, such as `a JSON-RPC message`.
        expected: &'static str,
    },
}

/// The `id` of a JSON-RPC message: a number or a text of the client's, redacted in `Debug`.
///
/// Only the response to that client repeats it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct MessageId(Option<Box<str>>);

impl MessageId {
    /// Takes an `id` as JSON.
    pub(crate) fn new(json: Option<String>) -> Self {
        Self(json.map(String::into_boxed_str))
    }

    /// Returns the `id` as JSON; none if the message has none that a response may repeat.
    #[must_use]
    pub fn json(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl fmt::Display for MessageFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutOff => f.write_str("is cut off: the connection was lost, or the client broke off"),
            Self::Json(JsonFault::TooDeep) => f.write_str("is nested too deep: expected 64 levels at the most"),
            Self::Json(JsonFault::DuplicateMember { .. }) => f.write_str("has a member twice, expected it once"),
            Self::Json(fault) => fault.fmt(f),
            Self::Form { expected } => write!(f, "has another form: expected {expected}"),
        }
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "[client's id]" } else { "none" })
    }
}
