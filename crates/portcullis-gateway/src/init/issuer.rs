//! A look at an issuer: its metadata, its keys, and the algorithms that they sign by.

use std::sync::Arc;

use miette::{Report, miette};
use portcullis::{Algorithm, ConfigurationError, IssuerMetadata, JwkSet, JwksError, JwksService};
use serde_json::Value;

use super::Arguments;
use crate::{
    config::algorithms_of,
    terminal::{self, is_plain_url, visible},
};

/// The ends of the URLs at which metadata are found, as people copy them.
const WELL_KNOWN: [&str; 2] = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];

/// The grant of a token exchange (RFC 8693 section 2.1).
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// An issuer that can be used.
pub(super) struct Found {
    pub(super) metadata: Arc<IssuerMetadata>,
    /// The algorithms of the usable keys, each once.
    pub(super) algorithms: Vec<Algorithm>,
    /// The number of usable keys.
    pub(super) keys: usize,
    /// The reasons why other keys are not used.
    pub(super) skipped: Vec<String>,
}

/// The number of unused keys that are told of, and the characters of their `kid`: a server could fill the terminal.
const MOST_SKIPPED: usize = 10;
const LONGEST_KID: usize = 100;

/// The reason why there is no configuration.
pub(super) enum Miss {
    /// The issuer cannot be used as it was given.
    Unusable(Report),
    /// It could not be looked at.
    Failed(Report),
}

/// Fetches the issuer's metadata and keys as the gateway would.
pub(super) async fn look(arguments: &Arguments) -> Result<Found, Miss> {
    let issuer = named(&arguments.issuer)?;
    let jwks = service(issuer, arguments).map_err(Miss::Failed)?;
    let outcome = terminal::waiting("looking at the issuer", jwks.refresh()).await;
    match (jwks.document(), jwks.metadata(), outcome) {
        (Some(set), Some(metadata), Ok(())) => Ok(Found::new(&set, metadata)),
        (Some(set), _, _) => Err(Miss::Unusable(no_usable_key(&set))),
        (None, _, Err(error)) => Err(failed(issuer, arguments, &error)),
        (None, _, Ok(())) => Err(Miss::Failed(miette!("expected metadata and keys of the issuer, got none"))),
    }
}

/// Returns the issuer in a text that may be the URL of its metadata.
fn named(text: &str) -> Result<&str, Miss> {
    if text.contains('{') {
        let help = "write the issuer of one tenant; for all of them, take the configuration in docs/providers/entra.md";
        return Err(Miss::Failed(miette!(help = help, "expected the issuer of one tenant, got a placeholder")));
    }
    Ok(WELL_KNOWN.iter().find_map(|end| text.strip_suffix(end)).unwrap_or(text))
}

fn service(issuer: &str, arguments: &Arguments) -> Result<JwksService, Report> {
    let mut builder = JwksService::discover(issuer);
    if let Some(path) = &arguments.ca_file {
        builder = builder.ca_file(path);
    }
    if arguments.dangerously_allow_http {
        builder = builder.dangerously_allow_http();
    }
    builder.build().map_err(|error| match error {
        ConfigurationError::InsecureUrl { .. } => miette!(
            help =
                "write the https URL of the issuer; in a network of your own `--dangerously-allow-http` permits http",
            "{error}"
        ),
        error => Report::msg(error),
    })
}

fn failed(issuer: &str, arguments: &Arguments, error: &JwksError) -> Miss {
    // The error may repeat text of the server.
    let problem = visible(&error.to_string());
    match error.other_issuer() {
        Some(other) if other.contains('{') => Miss::Unusable(miette!(
            help = "this URL stands for all tenants: write the issuer of yours, or take the configuration for several in \
                    docs/providers/entra.md",
            "{problem}"
        )),
        Some(other) if is_plain_url(other) => Miss::Unusable(miette!(
            help = format!(
                "the server calls itself {other}, and so do its tokens: if that is the one you trust, run `{}`",
                visible(&arguments.command_for(other))
            ),
            "{problem}"
        )),
        Some(_) => Miss::Unusable(miette!(
            help = "the server calls itself by another text, which is no plain URL",
            "{problem}"
        )),
        None if problem.contains("certificate") => Miss::Failed(miette!(
            help = "if the certificate is of an authority of your own, name that by `--ca-file`",
            "{problem}"
        )),
        None => Miss::Failed(miette!(
            help = format!(
                "is {} the issuer? It is the `iss` of a token, to the letter, and its metadata are at this URL with \
                 `/.well-known/openid-configuration` at the end",
                visible(issuer)
            ),
            "{problem}"
        )),
    }
}

fn no_usable_key(set: &JwkSet) -> Report {
    let reasons = skipped(set);
    let help = match reasons.is_empty() {
        true => "the key set is empty: the issuer has no key yet, or signs by a shared secret".to_owned(),
        false => format!("the keys are not used, because: {}", reasons.join("; ")),
    };
    miette!(help = help, "expected a key of the issuer that can verify tokens, got none")
}

/// Returns the reasons why keys are not used; of many keys, those of the first ones.
fn skipped(set: &JwkSet) -> Vec<String> {
    let reason = |(key, problem): (&Value, _)| {
        let kid = key.get("kid").and_then(Value::as_str).unwrap_or("without `kid`");
        let kid: String = kid.chars().take(LONGEST_KID).collect();
        visible(&format!("{kid}: {problem}"))
    };
    let mut all = set.published_keys().filter_map(|(key, judged)| Some((key, judged.err()?)));
    let mut told: Vec<_> = all.by_ref().take(MOST_SKIPPED).map(reason).collect();
    told.extend(Some(all.count()).filter(|more| *more > 0).map(|more| format!("{more} more keys")));
    told
}

impl Found {
    fn new(set: &JwkSet, metadata: Arc<IssuerMetadata>) -> Self {
        let usable: Vec<_> = set.published_keys().filter(|(_, judged)| judged.is_ok()).map(|(key, _)| key).collect();
        let mut algorithms = Vec::new();
        for algorithm in usable.iter().flat_map(|key| named_in(&metadata.id_token_algorithms, algorithms_of(key))) {
            if !algorithms.contains(&algorithm) {
                algorithms.push(algorithm);
            }
        }
        Self { algorithms, keys: usable.len(), skipped: skipped(set), metadata }
    }

    /// Returns true if the metadata say that the issuer exchanges tokens (RFC 8693).
    pub(super) fn exchanges_tokens(&self) -> bool {
        self.metadata.token_endpoint.is_some() && self.metadata.grant_types.iter().any(|grant| grant == EXCHANGE)
    }
}

/// Returns those of several algorithms that the metadata name; all, if it names none of them.
fn named_in(of_metadata: &[String], all: Vec<Algorithm>) -> Vec<Algorithm> {
    let is_named = |algorithm: &&Algorithm| of_metadata.iter().any(|name| name == algorithm.name());
    let named: Vec<_> = all.iter().filter(is_named).copied().collect();
    if named.is_empty() { all } else { named }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_the_algorithms_of_a_key_those_in_the_metadata_count() {
        let names = ["RS256".to_owned(), "ES256".to_owned()];
        for (key, of_metadata, expected) in [
            (json!({ "kty": "RSA", "alg": "PS256" }), &names[..], &[Algorithm::PS256][..]),
            (json!({ "kty": "RSA" }), &names, &[Algorithm::RS256]),
            (json!({ "kty": "EC", "crv": "P-384" }), &names, &[Algorithm::ES384]),
            (json!({ "kty": 1 }), &[], &[]),
        ] {
            assert_eq!(named_in(of_metadata, algorithms_of(&key)), expected, "{key}");
        }
        let all = algorithms_of(&json!({ "kty": "RSA" }));
        assert_eq!(named_in(&names[1..], all.clone()), all);
    }

    #[test]
    fn the_url_of_metadata_is_taken_for_its_issuer() {
        let issuer = "https://as.example.com/realms/shop";
        for end in ["", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
            assert!(matches!(named(&format!("{issuer}{end}")), Ok(same) if same == issuer), "{end}");
        }
        assert!(named("https://as.example.com/{tenant}").is_err());
    }
}
