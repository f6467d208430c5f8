//! Events, spans and metrics, for operators. Never a token, never the value of a claim.
//! Their names are in [`crate::names`].

use std::time::SystemTime;

use tracing::field::display;
use url::Url;

use crate::{
    algorithm::Algorithm,
    claims::VerifiedToken,
    names::{TARGET, events, metrics as names, spans, steps},
    refusal::{ConfigurationFault, Refusal},
    transport::{BoxError, shown},
};

/// A step of judging a request is taken: one of [`steps`].
pub(crate) fn step(step: &'static str) {
    tracing::trace!(name: steps::STEP, target: steps::TARGET, step);
}

/// Spans the judging of one request.
pub(crate) fn judging() -> tracing::Span {
    tracing::debug_span!(target: TARGET, spans::JUDGE_REQUEST)
}

/// Spans one attempt to get a key set.
pub(crate) fn fetching(source: &str) -> tracing::Span {
    tracing::debug_span!(target: TARGET, spans::FETCH_JWKS, source)
}

/// Spans the introspection of one opaque token, with all attempts.
pub(crate) fn introspecting(endpoint: &Url) -> tracing::Span {
    tracing::debug_span!(target: TARGET, spans::INTROSPECT, endpoint = shown(endpoint))
}

/// Tells of a token that passed.
pub(crate) fn verified(token: &VerifiedToken) {
    verified_counter().increment(1);
    let algorithm = token.algorithm().map(Algorithm::name);
    tracing::debug!(name: events::ACCESS_TOKEN_VERIFIED, target: TARGET, algorithm, "access token verified");
}

/// Returns the counter by a key that is hashed once, since each request counts there.
fn verified_counter() -> metrics::Counter {
    static KEY: metrics::Key = metrics::Key::from_static_name(names::VERIFIED.name);
    static METADATA: metrics::Metadata<'_> = metrics::Metadata::new(TARGET, metrics::Level::INFO, None);
    metrics::with_recorder(|recorder| recorder.register_counter(&KEY, &METADATA))
}

/// Tells of a refusal.
pub(crate) fn refused(refusal: &Refusal) {
    metrics::counter!(names::REFUSED.name, "code" => refusal.code()).increment(1);
    let (code, reason) = (refusal.code(), display(refusal));
    match refusal {
        Refusal::Configuration(ConfigurationFault::MissingLayer | ConfigurationFault::NoRuntime) => {
            tracing::error!(name: events::REQUEST_REFUSED, target: TARGET, code, reason, "request refused");
        }
        Refusal::Unavailable(_) => {
            tracing::warn!(name: events::REQUEST_REFUSED, target: TARGET, code, reason, "request refused");
        }
        _ => tracing::info!(name: events::REQUEST_REFUSED, target: TARGET, code, reason, "request refused"),
    }
}

/// Tells of a refusal that is only reported: the request passes.
pub(crate) fn would_refuse(refusal: &Refusal) {
    metrics::counter!(names::WOULD_REFUSE.name, "code" => refusal.code()).increment(1);
    let (code, reason) = (refusal.code(), display(refusal));
    tracing::info!(name: events::REQUEST_WOULD_BE_REFUSED, target: TARGET, code, reason, "request would be refused");
}

/// Warns of a verifier that checks the issuer or the audience of no token.
pub(crate) fn unchecked_claims(issuer: bool, audience: bool) {
    if !issuer || !audience {
        tracing::warn!(
            name: events::CLAIMS_UNCHECKED,
            target: TARGET,
            checks_issuer = issuer,
            checks_audience = audience,
            "this verifier accepts tokens that were issued by, or for, somebody else: name the issuer and the audience"
        );
    }
}

/// The outcome of an attempt to get a key set.
pub(crate) struct JwksOutcome<'a> {
    pub(crate) source: &'a str,
    /// `fetched`, `not_modified`, `from_cache` or `failed`.
    pub(crate) outcome: &'static str,
    pub(crate) error: Option<&'a str>,
    pub(crate) keys: usize,
    pub(crate) fetched_at: Option<SystemTime>,
}

/// Tells of the outcome of an attempt to get a key set.
pub(crate) fn jwks_attempt_ended(attempt: &JwksOutcome<'_>) {
    let JwksOutcome { source, outcome, error, keys, fetched_at } = *attempt;
    let label = || source.to_owned();
    metrics::counter!(names::JWKS_FETCHES.name, "source" => label(), "outcome" => outcome).increment(1);
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; a set has few keys")]
    metrics::gauge!(names::JWKS_KEYS.name, "source" => label()).set(keys as f64);
    if let Some(since) = fetched_at.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok()) {
        metrics::gauge!(names::JWKS_FETCHED_AT.name, "source" => label()).set(since.as_secs_f64());
    }
    match error {
        Some(error) => {
            tracing::warn!(
                name: events::JWKS_FETCH_FAILED,
                target: TARGET,
                source, outcome, error, keys,
                "key set could not be fetched"
            );
        }
        None => tracing::debug!(name: events::JWKS_FETCHED, target: TARGET, source, outcome, keys, "key set fetched"),
    }
}

/// Counts an introspection that was answered: `active`, `inactive` or `refused`, by other rules of ours.
pub(crate) fn introspected(outcome: &'static str) {
    metrics::counter!(names::INTROSPECTIONS.name, "outcome" => outcome).increment(1);
}

/// Tells of an introspection without an answer that can be believed: `failed` or `unusable`.
pub(crate) fn introspection_failed(endpoint: &str, outcome: &'static str, error: &str) {
    introspected(outcome);
    tracing::warn!(name: events::INTROSPECTION_FAILED, target: TARGET, endpoint, outcome, error, "introspection failed");
}

/// Counts an introspection that was not made, since too many were under way.
pub(crate) fn introspection_crowded_out() {
    introspected("crowded_out");
}

/// Warns of an answer that is written oddly, and leaves no doubt.
pub(crate) fn introspection_oddity(endpoint: &str, oddity: &str) {
    tracing::warn!(
        name: events::INTROSPECTION_ODD,
        target: TARGET,
        endpoint, oddity,
        "the introspection endpoint writes its answers oddly"
    );
}

/// Tells of a failure of the store of introspection results, which is no reason to refuse anything.
pub(crate) fn token_store_failed(operation: &'static str, error: &BoxError) {
    metrics::counter!(names::TOKEN_STORE_FAILURES.name, "operation" => operation).increment(1);
    tracing::debug!(name: events::TOKEN_STORE_FAILED, target: TARGET, operation, error = %error, "token store failed");
}

/// Counts an entry with another seal: somebody else writes to the store of introspection results, or this process has
/// another secret than the others.
pub(crate) fn token_store_forged(warn: bool) {
    metrics::counter!(names::TOKEN_STORE_FORGED.name).increment(1);
    if warn {
        tracing::warn!(
            name: events::TOKEN_STORE_FORGED,
            target: TARGET,
            "the seal of an entry of the token store is not ours: somebody else writes there, or the secrets differ"
        );
    }
}

/// Warns of a failure of the cache of key sets, which is no reason to refuse anything.
pub(crate) fn jwks_cache_failed(source: &str, operation: &'static str, error: &str) {
    tracing::warn!(name: events::JWKS_CACHE_FAILED, target: TARGET, source, operation, error, "key set cache failed");
}

/// Warns of a key of a set that is not used.
pub(crate) fn key_skipped(source: &str, kid: Option<&str>, problem: &str) {
    tracing::warn!(name: events::KEY_SKIPPED, target: TARGET, source, kid, problem, "key skipped");
}

/// Warns of a key of a set that is used, and not written as it should be.
pub(crate) fn key_is_odd(source: &str, kid: Option<&str>, oddity: &str) {
    tracing::warn!(name: events::KEY_ODD, target: TARGET, source, kid, oddity, "key used although it is oddly written");
}
