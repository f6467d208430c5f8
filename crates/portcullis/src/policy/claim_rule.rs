//! A rule for one claim, as data.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::{
    claims::{NO_POINTER, is_name_or_pointer},
    configuration_error::ConfigurationError,
};

/// A rule for one claim: it is present, has a value, has one of several, matches a pattern, or is absent.
///
/// At most one of `value`, `one_of`, `matches` and `absent` is set. With none of them, the claim has to be present.
/// A claim that is an array meets a value or a pattern if one of its elements does.
///
/// # Example
///
/// ```
/// use portcullis::ClaimRule;
///
/// let rule: ClaimRule = serde_json::from_str(r#"{ "name": "sub", "matches": "repo:my-org/*" }"#)?;
/// assert_eq!(rule, ClaimRule::matches("sub", "repo:my-org/*"));
///
/// let two = serde_json::from_str::<ClaimRule>(r#"{ "name": "sub", "value": "alice", "absent": true }"#);
/// assert_eq!(
///     two.unwrap_err().to_string(),
///     "expected at most one of `value`, `one_of`, `matches` and `absent`, got several: write a rule for each",
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Members")]
pub struct ClaimRule {
    /// The claim's name, or, if it starts with `/`, its JSON Pointer (RFC 6901).
    pub name: String,
    /// The value that the claim equals, or has among its elements. Any JSON value will do; numbers compare as numbers, by all their
    /// digits, nothing is converted. A number beyond 64 bits, or from 2^53 on with a fraction or an exponent, is an error, since it may
    /// have been rounded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Values of which the claim equals one, or has one among its elements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_of: Option<Vec<Value>>,
    /// A pattern that the whole text of the claim, or of one of its elements, has to match.
    ///
    /// `*` matches any run of characters, also an empty one, and also `/`. Case matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// True if the claim must be absent. A claim that is `null` is present.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub absent: bool,
}

impl ClaimRule {
    /// A rule for a claim that has to be present, with any value, also `null`.
    pub fn present(name: impl Into<String>) -> Self {
        Self { name: name.into(), value: None, one_of: None, matches: None, absent: false }
    }

    /// A rule for a claim that equals this value, or is an array with it.
    pub fn equals(name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { value: Some(value.into()), ..Self::present(name) }
    }

    /// A rule for a claim that equals one of these values, or is an array with one of them. With no values, no claim meets it.
    pub fn one_of<T: Into<Value>>(name: impl Into<String>, values: impl IntoIterator<Item = T>) -> Self {
        Self { one_of: Some(values.into_iter().map(Into::into).collect()), ..Self::present(name) }
    }

    /// A rule for a text that matches this pattern, in which `*` matches any run of characters, or for an array with such a
    /// text.
    pub fn matches(name: impl Into<String>, pattern: impl Into<String>) -> Self {
        Self { matches: Some(pattern.into()), ..Self::present(name) }
    }

    /// A rule for a claim that must be absent.
    pub fn absent(name: impl Into<String>) -> Self {
        Self { absent: true, ..Self::present(name) }
    }

    /// The number of members that are set, of those that exclude each other.
    pub(super) fn conditions(&self) -> usize {
        let set = [self.value.is_some(), self.one_of.is_some(), self.matches.is_some(), self.absent];
        set.into_iter().filter(|is_set| *is_set).count()
    }

    /// Checks the rule that stands in this field of a configuration.
    pub(crate) fn check(&self, field: &str) -> Result<(), ConfigurationError> {
        let Some((member, problem)) = self.problem() else { return Ok(()) };
        let dot = if member.is_empty() { "" } else { "." };
        Err(ConfigurationError::rule(format!("{field}{dot}{member}"), problem))
    }

    /// The invalid member, and the error.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
        if self.name.is_empty() {
            return Some(("name", "expected a claim's name or a JSON Pointer, got an empty text"));
        }
        if !is_name_or_pointer(&self.name) {
            return Some(("name", NO_POINTER));
        }
        if self.conditions() > 1 {
            let problem =
                "expected at most one of `value`, `one_of`, `matches` and `absent`, got several: write a rule for each";
            return Some(("", problem));
        }
        if self.one_of.as_ref().is_some_and(Vec::is_empty) {
            return Some(("one_of", "expected at least one value, got none: leave `one_of` out to ask for presence"));
        }
        let inexact = "expected a number of at most 64 bits, or below 2^53 with a fraction, got a larger one, which may have been rounded: \
                       have the issuer write a text";
        if self.value.as_ref().is_some_and(may_be_rounded) {
            return Some(("value", inexact));
        }
        if self.one_of.iter().flatten().any(may_be_rounded) {
            return Some(("one_of", inexact));
        }
        if self.matches.as_ref().is_some_and(String::is_empty) {
            return Some(("matches", "expected a pattern, got an empty text: write `*` for any text"));
        }
        None
    }
}

/// 2^53: a float can hold each smaller whole number.
const EXACT_BELOW: f64 = 9_007_199_254_740_992.0;

/// Tells whether a number of a value may have been another one before it was read as a float.
fn may_be_rounded(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64() && number.as_f64().is_none_or(|float| float.abs() >= EXACT_BELOW),
        Value::Array(values) => values.iter().any(may_be_rounded),
        Value::Object(members) => members.values().any(may_be_rounded),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

/// The members of a rule, as they are written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    name: String,
    #[serde(default, deserialize_with = "given")]
    value: Option<Value>,
    #[serde(default, deserialize_with = "given")]
    one_of: Option<Vec<Value>>,
    #[serde(default, deserialize_with = "given")]
    matches: Option<String>,
    #[serde(default)]
    absent: bool,
}

/// Reads a member that is present. `null` is a value like any other, and no way to leave a condition out: that would turn the
/// rule into one for presence.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(member: D) -> Result<Option<T>, D::Error> {
    T::deserialize(member).map(Some)
}

impl TryFrom<Members> for ClaimRule {
    type Error = &'static str;

    fn try_from(members: Members) -> Result<Self, &'static str> {
        let Members { name, value, one_of, matches, absent } = members;
        let rule = Self { name, value, one_of, matches, absent };
        rule.problem().map_or(Ok(rule), |(_, problem)| Err(problem))
    }
}
