//! What operators see: tracing events and metrics. Never a token, never the value of a claim.
//!
//! | metric | kind | labels | meaning |
//! |---|---|---|---|
//! | `portcullis_verified_total` | counter | | requests with a token that passed |
//! | `portcullis_refused_total` | counter | `code` | requests that were refused |
//! | `portcullis_would_refuse_total` | counter | `code` | requests that passed behind `Secure::report_only`, and would be refused |
//! | `portcullis_jwks_fetches_total` | counter | `source`, `outcome` | attempts to fetch a key set |
//! | `portcullis_introspections_total` | counter | `outcome` | questions about opaque tokens |
//! | `portcullis_token_store_failures_total` | counter | `operation` | failures of a shared store of their answers |
//! | `portcullis_token_store_forged_total` | counter | | entries there whose seal is not ours |
//! | `portcullis_jwks_keys` | gauge | `source` | usable keys |
//! | `portcullis_jwks_fetched_timestamp_seconds` | gauge | `source` | when the keys were fetched: their age is now minus this |
//!
//! The outcomes of an introspection: `active`, `inactive`, `refused` (by our rules), `unusable` (an answer that is not
//! believed), `failed` (the server's failure), `crowded_out` (not asked, since too many were).

use std::time::SystemTime;

use url::Url;

use crate::{
    algorithm::Algorithm,
    claims::VerifiedToken,
    refusal::{ConfigurationFault, Refusal},
    transport::{BoxError, shown},
};

/// Under which all events and spans are filtered.
const TARGET: &str = "portcullis";

/// Spans the judging of one request.
pub(crate) fn judging() -> tracing::Span {
    tracing::debug_span!(target: TARGET, "judge_request")
}

/// Spans one attempt to get a key set.
pub(crate) fn fetching(source: &str) -> tracing::Span {
    tracing::debug_span!(target: TARGET, "fetch_jwks", source)
}

/// Spans all that is asked about one opaque token.
pub(crate) fn introspecting(endpoint: &Url) -> tracing::Span {
    tracing::debug_span!(target: TARGET, "introspect", endpoint = shown(endpoint))
}

/// A request may pass.
pub(crate) fn verified(token: &VerifiedToken) {
    metrics::counter!("portcullis_verified_total").increment(1);
    tracing::debug!(target: TARGET, algorithm = token.algorithm().map(Algorithm::name), "access token verified");
}

/// A request may not pass.
pub(crate) fn refused(refusal: &Refusal) {
    metrics::counter!("portcullis_refused_total", "code" => refusal.code()).increment(1);
    match refusal {
        Refusal::Configuration(ConfigurationFault::MissingLayer | ConfigurationFault::NoRuntime) => {
            tracing::error!(target: TARGET, code = refusal.code(), reason = %refusal, "request refused");
        }
        Refusal::Unavailable(_) => {
            tracing::warn!(target: TARGET, code = refusal.code(), reason = %refusal, "request refused");
        }
        _ => tracing::info!(target: TARGET, code = refusal.code(), reason = %refusal, "request refused"),
    }
}

/// A request passes that would be refused if the layer did not only report.
#[cfg_attr(not(feature = "tower"), expect(dead_code, reason = "only doors report"))]
pub(crate) fn would_refuse(refusal: &Refusal) {
    metrics::counter!("portcullis_would_refuse_total", "code" => refusal.code()).increment(1);
    tracing::info!(target: TARGET, code = refusal.code(), reason = %refusal, "request would be refused");
}

/// A verifier was built that checks less than it could.
pub(crate) fn unchecked_claims(issuer: bool, audience: bool) {
    if !issuer || !audience {
        tracing::warn!(target: TARGET,
            checks_issuer = issuer,
            checks_audience = audience,
            "this verifier accepts tokens that were issued by, or for, somebody else: name the issuer and the audience"
        );
    }
}

/// How an attempt to get a key set ended.
pub(crate) struct JwksOutcome<'a> {
    pub(crate) source: &'a str,
    /// `fetched`, `not_modified`, `from_cache` or `failed`.
    pub(crate) outcome: &'static str,
    pub(crate) error: Option<&'a str>,
    pub(crate) keys: usize,
    pub(crate) fetched_at: Option<SystemTime>,
}

/// An attempt to get a key set ended.
pub(crate) fn jwks_attempt_ended(attempt: &JwksOutcome<'_>) {
    let JwksOutcome { source, outcome, error, keys, fetched_at } = *attempt;
    let label = || source.to_owned();
    metrics::counter!("portcullis_jwks_fetches_total", "source" => label(), "outcome" => outcome).increment(1);
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; a set has few keys")]
    metrics::gauge!("portcullis_jwks_keys", "source" => label()).set(keys as f64);
    if let Some(since) = fetched_at.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok()) {
        metrics::gauge!("portcullis_jwks_fetched_timestamp_seconds", "source" => label()).set(since.as_secs_f64());
    }
    match error {
        Some(error) => tracing::warn!(target: TARGET, source, outcome, error, keys, "key set could not be fetched"),
        None => tracing::debug!(target: TARGET, source, outcome, keys, "key set fetched"),
    }
}

/// An introspection was answered: `active`, `inactive` or `refused`, by other rules of ours.
pub(crate) fn introspected(outcome: &'static str) {
    metrics::counter!("portcullis_introspections_total", "outcome" => outcome).increment(1);
}

/// An introspection was not answered in a way that can be believed: `failed` or `unusable`.
pub(crate) fn introspection_failed(endpoint: &str, outcome: &'static str, error: &str) {
    introspected(outcome);
    tracing::warn!(target: TARGET, endpoint, outcome, error, "introspection failed");
}

/// So many questions were under way that this one was not asked.
pub(crate) fn introspection_crowded_out() {
    introspected("crowded_out");
}

/// An answer is written oddly, and leaves no doubt.
pub(crate) fn introspection_oddity(endpoint: &str, oddity: &str) {
    tracing::warn!(target: TARGET, endpoint, oddity, "the introspection endpoint writes its answers oddly");
}

/// The store of introspection results failed; that is no reason to refuse anything.
pub(crate) fn token_store_failed(operation: &'static str, error: &BoxError) {
    metrics::counter!("portcullis_token_store_failures_total", "operation" => operation).increment(1);
    tracing::debug!(target: TARGET, operation, error = %error, "token store failed");
}

/// Somebody else writes to the store of introspection results, or this process has another secret than the others.
pub(crate) fn token_store_forged(warn: bool) {
    metrics::counter!("portcullis_token_store_forged_total").increment(1);
    if warn {
        tracing::warn!(target: TARGET,
            "the seal of an entry of the token store is not ours: somebody else writes there, or the secrets differ"
        );
    }
}

/// The cache of key sets failed; that is no reason to refuse anything.
pub(crate) fn jwks_cache_failed(source: &str, operation: &'static str, error: &str) {
    tracing::warn!(target: TARGET, source, operation, error, "key set cache failed");
}

/// A key of a set is not used.
pub(crate) fn key_skipped(source: &str, kid: Option<&str>, problem: &str) {
    tracing::warn!(target: TARGET, source, kid, problem, "key skipped");
}

/// A key of a set is used, and not written as it should be.
pub(crate) fn key_is_odd(source: &str, kid: Option<&str>, oddity: &str) {
    tracing::warn!(target: TARGET, source, kid, oddity, "key used although it is oddly written");
}
