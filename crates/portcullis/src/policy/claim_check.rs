//! The check of a claim by its rule.

use serde_json::{Number, Value};

use super::{ClaimRule, mistaken};
use crate::{
    check::{Actual, CheckRow},
    claims::{ClaimPath, Pattern},
    json::{self, Decimal, Object},
    refusal::{AccessFault, CheckKind, Refusal},
};

/// A [`ClaimRule`] that is ready to be checked.
#[derive(Debug, Clone)]
pub(crate) struct ClaimCheck {
    path: ClaimPath,
    asked: Asked,
}

/// The condition of a rule.
#[derive(Debug, Clone)]
enum Asked {
    Present,
    Absent,
    OneOf(Vec<Value>),
    Matches(Pattern),
    /// A rule with a mistake, which this names, is met by no claim; [`Rules::check`](super::Rules::check) tells it.
    Nothing(&'static str),
}

impl ClaimCheck {
    pub(crate) fn new(rule: &ClaimRule) -> Self {
        let ClaimRule { name, value, one_of, matches, absent } = rule;
        let asked = match (rule.problem(), value, one_of, matches) {
            (Some((_, problem)), ..) => Asked::Nothing(problem),
            (_, Some(value), ..) => Asked::OneOf(vec![value.clone()]),
            (_, _, Some(values), _) => Asked::OneOf(values.clone()),
            (.., Some(pattern)) => Asked::Matches(Pattern::new(pattern)),
            _ if *absent => Asked::Absent,
            _ => Asked::Present,
        };
        Self { path: ClaimPath::new(name), asked }
    }

    /// The claim's name or JSON Pointer, as written in the rule.
    pub(crate) fn name(&self) -> &str {
        self.path.as_str()
    }

    /// The claim that the rule is for.
    pub(crate) fn claim<'a>(&self, claims: &'a Object) -> Option<json::Value<'a>> {
        self.path.of(claims)
    }

    /// The values of which one is required; none if the condition is another one.
    pub(crate) fn values(&self) -> &[Value] {
        if let Asked::OneOf(values) = &self.asked { values } else { &[] }
    }

    /// The required pattern.
    pub(crate) fn pattern(&self) -> Option<&str> {
        if let Asked::Matches(pattern) = &self.asked { Some(pattern.as_str()) } else { None }
    }

    /// The check as an explanation shows it.
    pub(super) fn row(&self, claims: &Object) -> CheckRow {
        let claim = self.claim(claims);
        // If the rule has a value that is not a text, quotes tell texts apart from it.
        let is_text_asked = self.values().iter().all(Value::is_string);
        CheckRow {
            kind: CheckKind::Claim,
            expected: Some(self.expected()),
            actual: if is_text_asked { Actual::claimed(claim) } else { Actual::claimed_json(claim) },
            result: self.check(claims),
        }
    }

    pub(crate) fn check(&self, claims: &Object) -> Result<(), Refusal> {
        if self.is_met(claims) {
            return Ok(());
        }
        let claim = self.name().to_owned();
        Err(match &self.asked {
            Asked::Absent => Refusal::Access(AccessFault::ForbiddenClaim { claim }),
            Asked::Nothing(problem) => {
                mistaken(CheckKind::Claim, format!("the rule for the claim {claim:?}: {problem}"))
            }
            _ => Refusal::Access(AccessFault::RequiredClaims { claim }),
        })
    }

    #[inline(always)] // For the loop over an endpoint's rules, at each request.
    pub(crate) fn is_met(&self, claims: &Object) -> bool {
        match (self.claim(claims), &self.asked) {
            (_, Asked::Nothing(_)) => false,
            (claim, Asked::Absent) => claim.is_none(),
            (claim, Asked::Present) => claim.is_some(),
            (None, Asked::OneOf(_) | Asked::Matches(_)) => false,
            (Some(actual), Asked::OneOf(values)) => values
                .iter()
                .any(|value| equal(actual, value) || actual.elements().any(|element| equal(element, value))),
            (Some(actual), Asked::Matches(pattern)) => {
                let fits = |value: json::Value<'_>| value.as_str().is_some_and(|text| pattern.matches(text));
                fits(actual) || actual.elements().any(fits)
            }
        }
    }

    /// The rule in words.
    pub(crate) fn expected(&self) -> String {
        let name = self.name();
        match &self.asked {
            Asked::Present => format!("{name} is there"),
            Asked::Absent => format!("{name} is not there"),
            Asked::OneOf(values) => match values.as_slice() {
                [only] => format!("{name} is, or has among its elements, {only}"),
                several => {
                    let several: Vec<_> = several.iter().map(Value::to_string).collect();
                    format!("{name} is, or has among its elements, one of {}", several.join(", "))
                }
            },
            Asked::Matches(pattern) => {
                format!("{name} matches, or has an element that matches, `{}`", pattern.as_str())
            }
            Asked::Nothing(problem) => format!("a rule for {name} without a mistake: {problem}"),
        }
    }
}

/// Equality of JSON values; `1` and `1.0` are one number, and nothing else is converted.
fn equal(actual: json::Value<'_>, expected: &Value) -> bool {
    match expected {
        Value::Null => actual.is_null(),
        Value::Bool(expected) => actual.as_bool() == Some(*expected),
        Value::String(expected) => actual.as_str() == Some(expected),
        Value::Number(expected) => equal_numbers(actual, expected),
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

/// Floats are compared by their texts: numbers with more digits than a float has are not equal because it rounds them.
fn equal_numbers(actual: json::Value<'_>, expected: &Number) -> bool {
    let whole = |signed: Option<i64>, unsigned: Option<u64>| signed.map(i128::from).or(unsigned.map(i128::from));
    match (whole(actual.as_i64(), actual.as_u64()), whole(expected.as_i64(), expected.as_u64())) {
        (Some(actual), Some(expected)) => actual == expected,
        _ => actual.number_text().is_some_and(|actual| {
            Decimal::of(actual).is_some_and(|actual| Decimal::of(&expected.to_string()) == Some(actual))
        }),
    }
}
