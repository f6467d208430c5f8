//! A claim that must be there, or must have a value.

use std::fmt;

use serde_json::{Number, Value};

use crate::{
    claims::find,
    json::{self, Object},
};

/// A rule for one claim.
#[derive(Debug, Clone)]
pub(crate) struct ClaimRule {
    name: String,
    value: Option<Value>,
}

impl ClaimRule {
    /// The claim of this name, or JSON Pointer, has to be there; `null` is there.
    pub(crate) fn present(name: impl Into<String>) -> Self {
        Self { name: name.into(), value: None }
    }

    /// The claim has to equal the value, or to be an array with an element that does.
    pub(crate) fn equals(name: impl Into<String>, value: Value) -> Self {
        Self { name: name.into(), value: Some(value) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The value that is asked for; none if any will do.
    pub(crate) fn value(&self) -> Option<&Value> {
        self.value.as_ref()
    }

    pub(crate) fn is_met(&self, claims: &Object) -> bool {
        match (find(claims, &self.name), &self.value) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(actual), Some(expected)) => {
                equal(actual, expected) || actual.elements().any(|element| equal(element, expected))
            }
        }
    }
}

impl fmt::Display for ClaimRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{} is, or has among its elements, {value}", self.name),
            None => write!(f, "{} is there", self.name),
        }
    }
}

/// Equality of JSON values; `1` and `1.0` are one number, and nothing else is converted.
fn equal(actual: json::Value<'_>, expected: &Value) -> bool {
    match expected {
        Value::Null => actual.is_null(),
        Value::Bool(expected) => actual.as_bool() == Some(*expected),
        Value::String(expected) => actual.as_str() == Some(expected),
        Value::Number(expected) => actual.as_number().is_some_and(|actual| equal_numbers(&actual, expected)),
        Value::Array(expected) => {
            actual.is_array()
                && actual.len() == expected.len()
                && actual.elements().zip(expected).all(|(actual, expected)| equal(actual, expected))
        }
        Value::Object(expected) => {
            actual.is_object()
                && actual.len() == expected.len()
                && actual.members().all(|(name, actual)| expected.get(name).is_some_and(|value| equal(actual, value)))
        }
    }
}

fn equal_numbers(a: &Number, b: &Number) -> bool {
    match (integer(a), integer(b)) {
        (Some(a), Some(b)) => a == b,
        (None, None) => a.as_f64() == b.as_f64(),
        _ => false,
    }
}

/// The number if it is whole and exact: beyond 64 bits, only a float can stand for it.
fn integer(number: &Number) -> Option<i128> {
    let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    whole.or_else(|| {
        let float = number.as_f64()?;
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^100, so exact")]
        (float.fract() == 0.0 && float.abs() < 1e30).then_some(float as i128)
    })
}
