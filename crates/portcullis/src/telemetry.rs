//! Events, spans and metrics, for operators. Never a token, never the value of a claim, but for the issuer of a token that is refused
//! because of it.
//! Their names are in [`crate::names`].

use std::time::SystemTime;

use crate::{
    algorithm::Algorithm,
    claims::VerifiedToken,
    names::{TARGET, events, metrics as names, spans, steps},
    refusal::{Refusal, TokenFault},
    shown_url::marked,
    transport::BoxError,
};
use tracing::field::display;

/// Traces a step of judging a request: one of [`steps`].
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
pub(crate) fn introspecting(endpoint: &str) -> tracing::Span {
    tracing::debug_span!(target: TARGET, spans::INTROSPECT, endpoint)
}

/// Counts and logs an accepted token.
pub(crate) fn verified(token: &VerifiedToken) {
    verified_counter().increment(1);
    let algorithm = token.algorithm().map(Algorithm::name);
    tracing::debug!(name: events::ACCESS_TOKEN_VERIFIED, target: TARGET, algorithm, "access token verified");
}

/// Returns the counter by a key that is hashed once, since every accepted token counts there.
fn verified_counter() -> metrics::Counter {
    static KEY: metrics::Key = metrics::Key::from_static_name(names::VERIFIED.name);
    static METADATA: metrics::Metadata<'_> = metrics::Metadata::new(TARGET, metrics::Level::INFO, None);
    metrics::with_recorder(|recorder| recorder.register_counter(&KEY, &METADATA))
}

/// Counts and logs a refusal.
pub(crate) fn refused(refusal: &Refusal) {
    metrics::counter!(names::REFUSED.name, "code" => refusal.code()).increment(1);
    let (code, reason) = (refusal.code(), display(refusal));
    match refusal {
        Refusal::Configuration(_) => {
            tracing::error!(name: events::REQUEST_REFUSED, target: TARGET, code, reason, "request refused");
        }
        Refusal::Unavailable(_) => {
            tracing::warn!(name: events::REQUEST_REFUSED, target: TARGET, code, reason, "request refused");
        }
        _ => {
            let unverified_issuer = unverified_issuer(refusal);
            tracing::info!(
                name: events::REQUEST_REFUSED,
                target: TARGET,
                code,
                unverified_issuer,
                reason,
                "request refused"
            );
        }
    }
}

/// The issuer that a token names, where that is the reason of its refusal: cut, without what could control a terminal or be a
/// password.
fn unverified_issuer(refusal: &Refusal) -> Option<String> {
    match refusal.with_scope() {
        (Refusal::Token(TokenFault::Issuer { actual, .. }), _) => Some(marked(actual.reveal())),
        _ => None,
    }
}

/// Counts and logs a refusal that is only reported: the request passes.
pub(crate) fn would_refuse(refusal: &Refusal) {
    metrics::counter!(names::WOULD_REFUSE.name, "code" => refusal.code()).increment(1);
    let (code, reason, unverified_issuer) = (refusal.code(), display(refusal), unverified_issuer(refusal));
    tracing::info!(
        name: events::REQUEST_WOULD_BE_REFUSED,
        target: TARGET,
        code,
        unverified_issuer,
        reason,
        "request would be refused"
    );
}

/// Warns of a verifier that does not check the issuer or the audience; without an issuer, its keys have a source.
pub(crate) fn unchecked_claims(issuer: Option<&str>, checks_audience: bool, source: Option<&str>) {
    let problem = match (issuer, checks_audience) {
        (Some(_), true) => return,
        (Some(_), false) => "tokens that the issuer made for other APIs pass, too: configure the audience",
        (None, true) => "tokens of any issuer with these keys pass: configure the issuer",
        (None, false) => "tokens of any issuer with these keys pass, for any API: configure issuer and audience",
    };
    tracing::warn!(
        name: events::CLAIMS_UNCHECKED,
        target: TARGET,
        issuer,
        source = source.filter(|_| issuer.is_none()),
        checks_issuer = issuer.is_some(),
        checks_audience,
        "{problem}"
    );
}

/// Reports a mistaken rule of a layer or a verifier that is built without an error.
pub(crate) fn rule_mistaken(problem: &str) {
    tracing::error!(name: events::RULE_MISTAKEN, target: TARGET, problem, "a rule is mistaken: correct the program");
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

/// Counts and logs an attempt to get a key set.
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

/// Counts an introspection: `active`, `inactive`, `refused` by another rule, or `crowded_out` if too many were under way.
pub(crate) fn introspected(outcome: &'static str) {
    metrics::counter!(names::INTROSPECTIONS.name, "outcome" => outcome).increment(1);
}

/// Counts and logs an introspection without a credible answer: `failed` or `unusable`.
pub(crate) fn introspection_failed(endpoint: &str, outcome: &'static str, error: &str) {
    introspected(outcome);
    tracing::warn!(name: events::INTROSPECTION_FAILED, target: TARGET, endpoint, outcome, error, "introspection failed");
}

/// Spans the exchange of one token.
pub(crate) fn exchanging(endpoint: &str) -> tracing::Span {
    tracing::debug_span!(target: TARGET, spans::EXCHANGE_TOKEN, endpoint)
}

/// Counts a token exchange: `issued`, `refused`, or `crowded_out` if too many were under way.
pub(crate) fn exchanged(outcome: &'static str) {
    metrics::counter!(names::EXCHANGES.name, "outcome" => outcome).increment(1);
}

/// Counts and logs a token exchange without a credible answer: `failed` or `unusable`.
pub(crate) fn exchange_failed(endpoint: &str, outcome: &'static str, error: &str) {
    exchanged(outcome);
    tracing::warn!(name: events::EXCHANGE_FAILED, target: TARGET, endpoint, outcome, error, "token exchange failed");
}

/// Warns of an oddly written answer whose meaning is clear.
pub(crate) fn introspection_oddity(endpoint: &str, oddity: &str) {
    tracing::warn!(
        name: events::INTROSPECTION_ODD,
        target: TARGET,
        endpoint, oddity,
        "the introspection endpoint writes its answers oddly"
    );
}

/// Counts and logs a failure of the store of introspection results, for which no token is refused.
pub(crate) fn token_store_failed(operation: &'static str, error: &BoxError) {
    metrics::counter!(names::TOKEN_STORE_FAILURES.name, "operation" => operation).increment(1);
    tracing::debug!(name: events::TOKEN_STORE_FAILED, target: TARGET, operation, error = %error, "token store failed");
}

/// Counts an entry with a wrong seal: it was forged, or written by a process with another secret.
pub(crate) fn token_store_forged(warn: bool) {
    metrics::counter!(names::TOKEN_STORE_FORGED.name).increment(1);
    if warn {
        tracing::warn!(
            name: events::TOKEN_STORE_FORGED,
            target: TARGET,
            "an entry of the token store has a wrong seal: it was forged, or written with another secret"
        );
    }
}

/// Counts a DPoP proof that nobody has seen before.
pub(crate) fn proof_is_first() {
    first_proofs_counter().increment(1);
}

/// Counts any other DPoP proof that verified: `first_here`, `replayed`, `replayed_elsewhere`, `forgotten` or `unknown`.
pub(crate) fn proof_is(outcome: &'static str) {
    metrics::counter!(names::DPOP_PROOFS.name, "outcome" => outcome).increment(1);
}

/// Returns the counter by a key that is hashed once, since every accepted proof counts there.
fn first_proofs_counter() -> metrics::Counter {
    static LABELS: [metrics::Label; 1] = [metrics::Label::from_static_parts("outcome", "first")];
    static KEY: metrics::Key = metrics::Key::from_static_parts(names::DPOP_PROOFS.name, &LABELS);
    static METADATA: metrics::Metadata<'_> = metrics::Metadata::new(TARGET, metrics::Level::INFO, None);
    metrics::with_recorder(|recorder| recorder.register_counter(&KEY, &METADATA))
}

/// Counts a failure of the shared store of DPoP proofs.
pub(crate) fn replay_store_failed(error: &BoxError, warn: bool) {
    metrics::counter!(names::REPLAY_STORE_FAILURES.name).increment(1);
    if warn {
        tracing::warn!(
            name: events::REPLAY_STORE_FAILED,
            target: TARGET,
            error = %error,
            "the shared store of DPoP proofs failed: it is left out for a second"
        );
    }
}

/// Warns that DPoP proofs have to arrive sooner.
pub(crate) fn replay_memory_full() {
    tracing::warn!(
        name: events::REPLAY_MEMORY_FULL,
        target: TARGET,
        "the memory for DPoP proofs is full: proofs are refused earlier than by their age; give it more (`Dpop::replay_memory_bytes`)"
    );
}

/// Warns of a failure of the cache of key sets, for which no token is refused.
pub(crate) fn jwks_cache_failed(source: &str, operation: &'static str, error: &str) {
    tracing::warn!(name: events::JWKS_CACHE_FAILED, target: TARGET, source, operation, error, "key set cache failed");
}

/// Logs a key that is published for another purpose than signatures, such as encryption: that is no fault of the issuer.
pub(crate) fn key_left_out(source: &str, kid: Option<&str>, problem: &str) {
    tracing::debug!(name: events::KEY_SKIPPED, target: TARGET, source, kid, problem, "key skipped");
}

/// Warns of an unused key of a set.
pub(crate) fn key_skipped(source: &str, kid: Option<&str>, problem: &str) {
    tracing::warn!(name: events::KEY_SKIPPED, target: TARGET, source, kid, problem, "key skipped");
}

/// Warns of an oddly written key that is used all the same.
pub(crate) fn key_is_odd(source: &str, kid: Option<&str>, oddity: &str) {
    tracing::warn!(name: events::KEY_ODD, target: TARGET, source, kid, oddity, "key used although it is oddly written");
}
