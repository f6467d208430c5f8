//! Options from JavaScript, as JSON texts.

use std::time::Duration;

use napi::{Error, Result, Status};
use portcullis_testkit::{Algorithm, Endpoint};
use serde::de::DeserializeOwned;

/// The endpoints by JavaScript's names.
pub(crate) const ENDPOINTS: [(&str, Endpoint); 7] = [
    ("jwks", Endpoint::Jwks),
    ("openidConfiguration", Endpoint::OpenIdConfiguration),
    ("oauthMetadata", Endpoint::OAuthMetadata),
    ("token", Endpoint::Token),
    ("introspection", Endpoint::Introspection),
    ("rotate", Endpoint::Rotate),
    ("attacker", Endpoint::Attacker),
];

/// Reads options.
///
/// # Errors
///
/// An error of [`invalid`].
pub(crate) fn read<T: DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| {
        let text = error.to_string();
        // The place is one in a text that the caller has not seen.
        invalid(text.split(" at line ").next().unwrap_or_default().to_owned())
    })
}

/// Returns the algorithm of this name.
pub(crate) fn algorithm(name: &str) -> Result<Algorithm> {
    let found = Algorithm::ALL.iter().copied().find(|algorithm| algorithm.name() == name);
    found.ok_or_else(|| invalid(format!("expected an algorithm, got `{name}`: {}", names(Algorithm::ALL))))
}

fn names(algorithms: &[Algorithm]) -> String {
    algorithms.iter().map(|algorithm| algorithm.name()).collect::<Vec<_>>().join(", ")
}

/// Returns the endpoint of this name.
pub(crate) fn endpoint(name: &str) -> Result<Endpoint> {
    let found = ENDPOINTS.into_iter().find(|(known, _)| *known == name);
    let known = ENDPOINTS.map(|(known, _)| known).join(", ");
    found.map(|(_, endpoint)| endpoint).ok_or_else(|| invalid(format!("expected an endpoint, got `{name}`: {known}")))
}

/// Returns the duration of a number of seconds, which is not negative.
pub(crate) fn seconds(name: &str, value: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| invalid(format!("expected `{name}` to be a number of seconds, got {value}")))
}

/// Returns the error of a wrong option; JavaScript throws it as a TypeError.
pub(crate) fn invalid(reason: String) -> Error {
    Error::new(Status::InvalidArg, reason)
}
