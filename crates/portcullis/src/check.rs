//! A check as an explanation shows it: the expectation, the token's value, and the result.
//!
//! Each room builds its rows from the same tables and functions that it checks with.

use crate::{
    json::Value,
    refusal::{CheckKind, Refusal},
};

/// A check with its result.
pub(crate) struct CheckRow {
    pub(crate) kind: CheckKind,
    /// The expectation, in words; none if nothing is required.
    pub(crate) expected: Option<String>,
    pub(crate) actual: Actual,
    pub(crate) result: Result<(), Refusal>,
}

/// The part of a token that a check is about.
pub(crate) enum Actual {
    /// Nothing to show.
    Nothing,
    /// A value that was measured here.
    Measured(String),
    /// A value that the token states.
    Claimed(String),
    /// The reason why the value is not looked up here: the check is not made.
    Unchecked(String),
    /// A time that the token states, in seconds since 1970, and its text, for a time beyond the calendar.
    Time(f64, String),
}

impl Actual {
    /// A value that the token states: a text as it is, anything else as JSON.
    pub(crate) fn claimed(value: Option<Value<'_>>) -> Self {
        Self::Claimed(text_or_json(value))
    }

    /// The same as JSON, a text in quotes, which show that it is not the expected number.
    pub(crate) fn claimed_json(value: Option<Value<'_>>) -> Self {
        Self::Claimed(as_json(value))
    }

    /// A time that the token states; as JSON if it is not a number.
    pub(crate) fn time(value: Option<Value<'_>>) -> Self {
        let seconds = value.and_then(Value::as_f64);
        seconds.map_or_else(|| Self::claimed_json(value), |seconds| Self::Time(seconds, as_json(value)))
    }
}

/// A text as it is, anything else as JSON.
pub(crate) fn text_or_json(value: Option<Value<'_>>) -> String {
    value.and_then(Value::as_str).map_or_else(|| as_json(value), str::to_owned)
}

/// As JSON, a text in quotes.
pub(crate) fn as_json(value: Option<Value<'_>>) -> String {
    value.map_or_else(|| "not there".to_owned(), |value| value.to_json().to_string())
}

/// Names the only accepted value, or all of several.
pub(crate) fn one_of<T: AsRef<str>>(names: &[T]) -> String {
    match names {
        [only] => only.as_ref().to_owned(),
        several => format!("one of {}", several.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")),
    }
}
