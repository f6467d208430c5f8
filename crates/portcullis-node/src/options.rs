//! Options from JavaScript: JSON texts whose members are the library's fields in camelCase.
//!
//! Durations are in seconds, fractions allowed.

use std::time::Duration;

use napi::{Error, Result, Status};
use napi_derive::napi;
use portcullis::{ClaimRule, ConfigurationError, DpopRules, IssuerRules, McpRules, ResourceRules, Rules};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::camel_case::{self, camel_case};

/// The fields of [`Rules`] that `secure` does not offer, with reasons.
const NOT_OF_ENDPOINTS: [(&str, &str); 1] =
    [("report_only", "JavaScript reads it, since a guard may have rules of its own")];

/// The fields of [`IssuerRules`] that neither `secure` nor `anyOf` offers, with reasons.
const NOT_OF_ISSUERS: [(&str, &str); 1] =
    [("max_token_bytes", "the greatest length of a token is set for each endpoint, in `secure`")];

/// The options for fetching a key set.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct KeyServiceOptions {
    pub(crate) timeout: Option<f64>,
    pub(crate) max_age: Option<f64>,
    pub(crate) max_stale: Option<f64>,
    pub(crate) max_document_bytes: Option<usize>,
    pub(crate) max_keys: Option<usize>,
    pub(crate) max_tenants: Option<usize>,
    pub(crate) key_uses: Vec<String>,
    pub(crate) dangerously_allow_http: bool,
}

/// Returns the library's options as JSON: for `endpoint` ([`Rules`]), `issuer` ([`IssuerRules`]), `resource` ([`ResourceRules`]),
/// `mcp` ([`McpRules`]) and `dpop` ([`DpopRules`]) the defaults by name (null for none) and, in `notOffered`, the reason for each
/// option that is not offered; for `claim` the members of a rule.
#[napi]
pub fn known_options() -> String {
    let (endpoint, no_endpoint) = known::<Rules>(&NOT_OF_ENDPOINTS);
    let (issuer, no_issuer) = known::<IssuerRules>(&NOT_OF_ISSUERS);
    let (resource, no_resource) = known::<ResourceRules>(&[]);
    let (mcp, no_mcp) = known::<McpRules>(&[]);
    let (dpop, no_dpop) = known::<DpopRules>(&[]);
    json!({
        "endpoint": { "defaults": endpoint, "notOffered": no_endpoint },
        "issuer": { "defaults": issuer, "notOffered": no_issuer },
        "resource": { "defaults": resource, "notOffered": no_resource },
        "mcp": { "defaults": mcp, "notOffered": no_mcp },
        "dpop": { "defaults": dpop, "notOffered": no_dpop },
        "claim": camel_case::fields::<ClaimRule>().iter().map(|field| camel_case(field)).collect::<Vec<_>>(),
    })
    .to_string()
}

/// Returns the known option most similar to a misspelt one, if any is similar.
#[napi]
pub fn likely_option(name: String, known: Vec<String>) -> Option<String> {
    let likeness = |known: &String| strsim::damerau_levenshtein(&name.to_lowercase(), &known.to_lowercase());
    let (difference, nearest) = known.into_iter().map(|known| (likeness(&known), known)).min()?;
    (difference <= nearest.len() / 3).then_some(nearest)
}

/// Returns the defaults of a struct's offered fields, and the reasons for the others, by JavaScript's names.
fn known<T: Default + Serialize + DeserializeOwned>(not_offered: &[(&str, &str)]) -> (Map<String, Value>, Value) {
    let defaults = serde_json::to_value(T::default()).unwrap_or_default();
    let is_offered = |field: &str| !not_offered.iter().any(|(name, _)| *name == field);
    let offered = camel_case::fields::<T>().iter().filter(|field| is_offered(field));
    let default = |field: &str| defaults.get(field).cloned().unwrap_or_default();
    let reasons = not_offered.iter().map(|(field, reason)| (camel_case(field), Value::from(*reason))).collect();
    (offered.map(|field| (camel_case(field), default(field))).collect(), reasons)
}

/// Returns the duration of a number of seconds.
pub(crate) fn seconds(name: &str, value: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| invalid(format!("expected `{name}` to be a number of seconds, got {value}")))
}

/// Reads options.
///
/// # Errors
///
/// An error of [`invalid`], which names the option.
pub(crate) fn read<T: DeserializeOwned>(json: &str) -> Result<T> {
    let options = serde_json::from_str(json).map_err(|_| invalid("expected options as JSON".to_owned()))?;
    camel_case::read(options).map_err(invalid)
}

/// Reads a word of the library.
///
/// # Errors
///
/// An error of [`invalid`], which names the option.
pub(crate) fn word<T: DeserializeOwned>(name: &str, word: &str) -> Result<T> {
    camel_case::read(Value::from(word)).map_err(|problem| invalid(format!("`{name}`: {problem}")))
}

/// Returns the error of an invalid configuration; JavaScript throws it as a TypeError.
pub(crate) fn invalid(reason: String) -> Error {
    Error::new(Status::InvalidArg, reason)
}

/// Returns the same for an error of the library.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn unusable(error: ConfigurationError) -> Error {
    invalid(error.to_string())
}
