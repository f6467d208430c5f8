//! A claim that must be there, or must have a value.

use serde_json::{Number, Value};

use crate::{claims::find, token::Object};

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

    pub(crate) fn is_met(&self, claims: &Object) -> bool {
        match (find(claims, &self.name), &self.value) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(actual), Some(expected)) => {
                equal(actual, expected)
                    || actual.as_array().is_some_and(|elements| elements.iter().any(|element| equal(element, expected)))
            }
        }
    }
}

/// Equality of JSON values; `1` and `1.0` are one number, and nothing else is converted.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => equal_numbers(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
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
