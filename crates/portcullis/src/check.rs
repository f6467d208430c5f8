//! A check as an explanation shows it: the expectation, the token's value, and the result.
//!
//! A room gives its checks as rows, from the same tables and functions by which it checks.

use crate::{
    json::Value,
    refusal::{CheckKind, Refusal},
};

/// A check, made.
pub(crate) struct CheckRow {
    pub(crate) kind: CheckKind,
    /// The expectation, in our own words; none where nothing is asked for.
    pub(crate) expected: Option<String>,
    pub(crate) actual: Actual,
    pub(crate) result: Result<(), Refusal>,
}

/// The part of a token that a check is about.
pub(crate) enum Actual {
    /// Nothing that could be shown.
    Nothing,
    /// Measured here.
    Measured(String),
    /// Said by the token.
    Claimed(String),
    /// Said by the token: a time in seconds since 1970, and the number as it is written, for one that no calendar has.
    Time(f64, String),
}

impl Actual {
    /// A value that the token says: a text as it is, anything else as JSON.
    pub(crate) fn claimed(value: Option<Value<'_>>) -> Self {
        Self::Claimed(text_or_json(value))
    }

    /// The same as JSON, a text in its quotes: where a number is expected, they are what is wrong.
    pub(crate) fn claimed_json(value: Option<Value<'_>>) -> Self {
        Self::Claimed(as_json(value))
    }

    /// A time that the token says; as JSON if it is no number.
    pub(crate) fn time(value: Option<Value<'_>>) -> Self {
        let seconds = value.and_then(Value::as_f64);
        seconds.map_or_else(|| Self::claimed_json(value), |seconds| Self::Time(seconds, as_json(value)))
    }
}

/// A text as it is, anything else as JSON.
pub(crate) fn text_or_json(value: Option<Value<'_>>) -> String {
    value.and_then(Value::as_str).map_or_else(|| as_json(value), str::to_owned)
}

/// As JSON, a text in its quotes.
pub(crate) fn as_json(value: Option<Value<'_>>) -> String {
    value.map_or_else(|| "not there".to_owned(), |value| value.to_json().to_string())
}

/// Names one thing, or several of which one is expected.
pub(crate) fn one_of<T: AsRef<str>>(names: &[T]) -> String {
    match names {
        [only] => only.as_ref().to_owned(),
        several => format!("one of {}", several.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")),
    }
}
