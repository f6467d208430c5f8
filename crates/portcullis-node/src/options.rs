//! Options, as JavaScript passes them: JSON texts that `lib/options.js` has made.
//!
//! Durations are in seconds, fractions allowed.

use std::time::Duration;

use napi::{Error, Result, Status};
use portcullis::{Algorithm, ConfigurationError, UnknownAlgorithm, VerifierBuilder};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// How a key set is fetched.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct KeyServiceOptions {
    pub(crate) timeout: Option<f64>,
    pub(crate) max_age: Option<f64>,
    pub(crate) max_stale: Option<f64>,
    pub(crate) max_document_bytes: Option<usize>,
    pub(crate) max_keys: Option<usize>,
    #[serde(default)]
    pub(crate) key_uses: Vec<String>,
    #[serde(default)]
    pub(crate) dangerously_allow_http: bool,
}

/// Which tokens are good.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct VerifierOptions {
    issuer: Option<String>,
    trust_domain: Option<String>,
    #[serde(default)]
    audience: Vec<String>,
    algorithms: Option<Vec<String>>,
    types: Option<Vec<String>>,
    #[serde(default)]
    or_no_type: bool,
    leeway: Option<f64>,
    max_key_attempts: Option<usize>,
    #[serde(default)]
    pub(crate) rfc9068: bool,
    #[serde(default)]
    dangerously_accept_tokens_without_expiry: bool,
    #[serde(default)]
    dangerously_accept_sender_constrained_tokens: bool,
    token_cache: Option<TokenCacheOptions>,
}

/// How many verified tokens are kept.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TokenCacheOptions {
    bytes: Option<usize>,
    tokens: Option<usize>,
    #[serde(default)]
    off: bool,
}

/// What an endpoint asks for, and how refusals are told.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DoorOptions {
    pub(crate) realm: Option<String>,
    #[serde(default)]
    pub(crate) scope: Vec<String>,
    pub(crate) any_scope: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) claims: Vec<ClaimOptions>,
    pub(crate) max_token_bytes: Option<usize>,
    pub(crate) invalid_token_status: Option<u16>,
    #[serde(default)]
    pub(crate) problem_json: bool,
    #[serde(default)]
    pub(crate) optional: bool,
}

/// A claim that has to be there; with a value, or an array with it, if one is named.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimOptions {
    pub(crate) name: String,
    #[serde(default, deserialize_with = "present")]
    pub(crate) value: Option<Value>,
}

/// `null` is a value.
fn present<'de, D: serde::Deserializer<'de>>(value: D) -> std::result::Result<Option<Value>, D::Error> {
    Value::deserialize(value).map(Some)
}

impl VerifierOptions {
    /// Issuer and audience, which the strict mode of RFC 9068 cannot do without.
    pub(crate) fn issuer_and_audience(&self) -> Option<(&str, &str)> {
        Some((self.issuer.as_deref()?, self.audience.first()?))
    }

    /// Sets what is asked for; the first audience is left out where the strict mode has it already.
    pub(crate) fn apply(self, mut builder: VerifierBuilder) -> Result<VerifierBuilder> {
        if let Some(issuer) = self.issuer {
            builder = builder.issuer(issuer);
        }
        if let Some(domain) = self.trust_domain {
            builder = builder.trust_domain(&domain);
        }
        for audience in self.audience.into_iter().skip(usize::from(self.rfc9068)) {
            builder = builder.audience(audience);
        }
        if let Some(names) = self.algorithms {
            let algorithms: Result<Vec<_>> = names.iter().map(|name| algorithm(name)).collect();
            builder = builder.algorithms(algorithms?);
        }
        if let Some(types) = self.types {
            builder = builder.types(types);
        }
        if self.or_no_type {
            builder = builder.or_no_type();
        }
        if let Some(leeway) = self.leeway {
            builder = builder.leeway(seconds("leeway", leeway)?);
        }
        if let Some(attempts) = self.max_key_attempts {
            builder = builder.max_key_attempts(attempts);
        }
        if self.dangerously_accept_tokens_without_expiry {
            builder = builder.dangerously_accept_tokens_without_expiry();
        }
        if self.dangerously_accept_sender_constrained_tokens {
            builder = builder.dangerously_accept_sender_constrained_tokens();
        }
        Ok(match self.token_cache {
            Some(TokenCacheOptions { off: true, .. }) => builder.without_token_cache(),
            Some(TokenCacheOptions { bytes, tokens, .. }) => {
                let builder = bytes.into_iter().fold(builder, VerifierBuilder::token_cache_bytes);
                tokens.into_iter().fold(builder, VerifierBuilder::token_cache_tokens)
            }
            None => builder,
        })
    }
}

fn algorithm(name: &str) -> Result<Algorithm> {
    name.parse().map_err(|unknown: UnknownAlgorithm| invalid(format!("`algorithms`: {unknown}")))
}

/// A duration that came as a number of seconds.
pub(crate) fn seconds(name: &str, value: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| invalid(format!("expected `{name}` to be a number of seconds, {value} came")))
}

/// Reads options; what is wrong with them is told by name.
pub(crate) fn read<T: DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| invalid(format!("the options cannot be used: {error}")))
}

/// A configuration that cannot be used; JavaScript throws it as a TypeError.
pub(crate) fn invalid(reason: String) -> Error {
    Error::new(Status::InvalidArg, reason)
}

/// The same, as the library tells it.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn unusable(error: ConfigurationError) -> Error {
    invalid(error.to_string())
}
