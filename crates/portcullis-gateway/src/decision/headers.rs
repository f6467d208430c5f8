//! The header fields that an upstream gets: claims, under names that nobody else may use.

use http::{HeaderName, HeaderValue};
use portcullis::{Access, json};

use super::Fault;
use crate::config::HeaderRule;

/// The `[[headers]]` of a configuration.
#[derive(Debug)]
pub(super) struct Headers(Vec<HeaderRule>);

impl Headers {
    pub(super) fn new(rules: &[HeaderRule]) -> Self {
        Self(rules.to_vec())
    }

    /// Each field that is ours to set; without a value where there is no such claim, or no token.
    pub(super) fn of(&self, access: Option<&Access>) -> Result<Vec<(HeaderName, Option<HeaderValue>)>, Fault> {
        self.0.iter().map(|rule| Ok((rule.name.clone(), value(rule, access)?))).collect()
    }

    /// Whether only the gateway may set a field of this name, also if it is spelled with another mark for `-`: servers that
    /// make variables of names (RFC 3875 section 4.1.18) turn `_`, `.`, `~` and the like all into `_`.
    pub(super) fn owns(&self, name: &str) -> bool {
        self.0.iter().any(|rule| is_spelling(name, rule.name.as_str()))
    }

    /// Whether only the gateway may set a field of this name, which is not spelled as the gateway spells it.
    pub(super) fn forges(&self, name: &str) -> bool {
        self.0.iter().any(|rule| name != rule.name.as_str() && is_spelling(name, rule.name.as_str()))
    }
}

fn is_spelling(name: &str, ours: &str) -> bool {
    let is_mark = |byte: u8| !byte.is_ascii_alphanumeric();
    let same = |a: u8, b: u8| a.eq_ignore_ascii_case(&b) || (is_mark(a) && is_mark(b));
    name.len() == ours.len() && name.bytes().zip(ours.bytes()).all(|(a, b)| same(a, b))
}

fn value(rule: &HeaderRule, access: Option<&Access>) -> Result<Option<HeaderValue>, Fault> {
    match access.and_then(|access| access.claims().find(&rule.claim)) {
        Some(claim) if !claim.is_null() => field(claim).map(Some),
        _ => Ok(None),
    }
}

/// Text as it is; anything else as JSON, so that no element of an array can pass for two.
fn field(claim: json::Value<'_>) -> Result<HeaderValue, Fault> {
    let value = match claim.as_str() {
        Some(text) => HeaderValue::from_bytes(text.as_bytes()),
        None => HeaderValue::from_bytes(claim.to_json().to_string().as_bytes()),
    };
    value.map_err(|_| Fault::UnmappableClaim)
}
