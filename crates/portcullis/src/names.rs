//! The names of all events, spans and metrics, for filters, dashboards and tests.
//!
//! Events and spans are `tracing`'s, under the target [`TARGET`]; metrics are of the `metrics` facade. None of them
//! contains a token or a claim, but for the issuer of a token that is refused as `wrong_issuer`.
//!
//! # Example
//!
//! ```
//! use portcullis::names::{TARGET, events, metrics};
//!
//! /// Tells whether an event is a refusal by the library.
//! fn is_refusal(event: &tracing::Metadata<'_>) -> bool {
//!     event.target() == TARGET && event.name() == events::REQUEST_REFUSED
//! }
//!
//! for metric in metrics::ALL {
//!     println!("{} {:?}: {}", metric.name, metric.labels, metric.help);
//! }
//! ```

/// The target of all events and spans.
pub const TARGET: &str = "portcullis";

/// The names of events, as [`tracing::Metadata::name`] returns them.
pub mod events {
    /// A token passed (`DEBUG`, with `algorithm`).
    pub const ACCESS_TOKEN_VERIFIED: &str = "access_token_verified";
    /// A request was refused (`INFO`, `WARN` if keys or an introspection were out of reach, `ERROR` if the program is at
    /// fault; with `code` and `reason`, and with `unverified_issuer` if the code is `wrong_issuer`: the issuer that the token names,
    /// cut and cleaned).
    pub const REQUEST_REFUSED: &str = "request_refused";
    /// A request passed on an endpoint that only reports (`INFO`, with the same fields).
    pub const REQUEST_WOULD_BE_REFUSED: &str = "request_would_be_refused";
    /// A verifier that checks the issuer or the audience of no token was built (`WARN`, with `issuer` or else `source`, `checks_issuer`
    /// and `checks_audience`).
    pub const CLAIMS_UNCHECKED: &str = "claims_unchecked";
    /// A layer was built with a mistaken rule, for which [`Rules::check`](crate::Rules::check) has an error, or a verifier with keys that
    /// are for none of the default algorithms (`ERROR`, with `problem`).
    pub const RULE_MISTAKEN: &str = "rule_mistaken";
    /// A key set was fetched, or had not changed (`DEBUG`, with `source`, `outcome` and `keys`).
    pub const JWKS_FETCHED: &str = "jwks_fetched";
    /// A key set could not be fetched (`WARN`, with `source`, `outcome`, `error` and `keys`).
    pub const JWKS_FETCH_FAILED: &str = "jwks_fetch_failed";
    /// The cache of key sets failed (`WARN`, with `source`, `operation` and `error`).
    pub const JWKS_CACHE_FAILED: &str = "jwks_cache_failed";
    /// A key of a set is not used (`WARN`, or `DEBUG` if it is not for signatures; with `source`, `kid` and `problem`).
    pub const KEY_SKIPPED: &str = "key_skipped";
    /// A key of a set is used although it is oddly written (`WARN`, with `source`, `kid` and `oddity`).
    pub const KEY_ODD: &str = "key_odd";
    /// An introspection failed (`WARN`, with `endpoint`, `outcome` and `error`).
    pub const INTROSPECTION_FAILED: &str = "introspection_failed";
    /// An introspection endpoint writes its responses oddly (`WARN`, with `endpoint` and `oddity`).
    pub const INTROSPECTION_ODD: &str = "introspection_odd";
    /// A token exchange failed (`WARN`, with `endpoint`, `outcome` and `error`).
    pub const EXCHANGE_FAILED: &str = "exchange_failed";
    /// The shared store of introspections and exchanged tokens failed (`DEBUG`, with `operation` and `error`).
    pub const TOKEN_STORE_FAILED: &str = "token_store_failed";
    /// An entry of the shared store has a seal that is not ours (`WARN`).
    pub const TOKEN_STORE_FORGED: &str = "token_store_forged";
    /// The shared store of DPoP proofs failed (`WARN`, with `error`; at most once a minute).
    pub const REPLAY_STORE_FAILED: &str = "replay_store_failed";
    /// The memory for DPoP proofs is full, so that proofs have to arrive sooner (`WARN`, at most once a minute).
    pub const REPLAY_MEMORY_FULL: &str = "replay_memory_full";
}

/// The steps of judging a request, as events of level `TRACE` and of the target [`steps::TARGET`], each with the field `step`.
///
/// A request takes each of them once at the most, also if it waits: tests count them.
pub mod steps {
    /// The target of these events.
    pub const TARGET: &str = "portcullis::step";
    /// The name of these events.
    pub const STEP: &str = "step";
    /// The route of the request is looked for (gateway).
    pub const FIND_ROUTE: &str = "find_route";
    /// The places that may carry the token are read.
    pub const FIND_TOKEN: &str = "find_token";
    /// The token is looked up among those that were verified before.
    pub const LOOK_UP_TOKEN: &str = "look_up_token";
    /// A JWT is decoded.
    pub const DECODE_TOKEN: &str = "decode_token";
}

/// The names of spans, all of level `DEBUG`.
pub mod spans {
    /// The judging of one request.
    pub const JUDGE_REQUEST: &str = "judge_request";
    /// One attempt to fetch a key set, metadata included (with `source`).
    pub const FETCH_JWKS: &str = "fetch_jwks";
    /// The introspection of one token, with all attempts (with `endpoint`).
    pub const INTROSPECT: &str = "introspect";
    /// The exchange of one token (with `endpoint`).
    pub const EXCHANGE_TOKEN: &str = "exchange_token";
}

/// The metrics.
pub mod metrics {
    use crate::names::Metric;

    /// Requests with a token that passed.
    pub const VERIFIED: Metric = Metric::counter("portcullis_verified_total", &[], "Requests with a token that passed");
    /// Requests that were refused.
    pub const REFUSED: Metric =
        Metric::counter("portcullis_refused_total", &["code"], "Requests that were refused, by code");
    /// Requests that passed on an endpoint that only reports.
    pub const WOULD_REFUSE: Metric = Metric::counter(
        "portcullis_would_refuse_total",
        &["code"],
        "Requests that passed where refusals are only reported, and would be refused, by code",
    );
    /// Attempts to fetch a key set: `fetched`, `not_modified`, `from_cache` or `failed`.
    pub const JWKS_FETCHES: Metric = Metric::counter(
        "portcullis_jwks_fetches_total",
        &["source", "outcome"],
        "Attempts to fetch a key set, by source and outcome: fetched, not_modified, from_cache or failed",
    );
    /// Usable keys.
    pub const JWKS_KEYS: Metric = Metric::gauge("portcullis_jwks_keys", &["source"], "Usable keys, by source");
    /// The time at which the keys were fetched, in seconds since 1970: their age is now minus this.
    pub const JWKS_FETCHED_AT: Metric = Metric::gauge(
        "portcullis_jwks_fetched_timestamp_seconds",
        &["source"],
        "The time at which the keys were fetched, by source: their age is now minus this",
    );
    /// Introspections of opaque tokens: `active`, `inactive`, `refused` (by our rules), `unusable` (a response that is
    /// not trusted), `failed` (the server's failure) or `crowded_out` (not made, since too many were in progress).
    pub const INTROSPECTIONS: Metric = Metric::counter(
        "portcullis_introspections_total",
        &["outcome"],
        "Introspections of opaque tokens, by outcome: active, inactive, refused, unusable, failed or crowded_out",
    );
    /// Token exchanges: `issued`, `refused` (by the server), `unusable` (a response that is not trusted), `failed` (the
    /// server's failure) or `crowded_out` (not made, since too many were in progress).
    pub const EXCHANGES: Metric = Metric::counter(
        "portcullis_exchanges_total",
        &["outcome"],
        "Token exchanges, by outcome: issued, refused, unusable, failed or crowded_out",
    );
    /// Failures of the shared store of introspections and exchanged tokens.
    pub const TOKEN_STORE_FAILURES: Metric = Metric::counter(
        "portcullis_token_store_failures_total",
        &["operation"],
        "Failures of the shared store of introspections and exchanged tokens, by operation",
    );
    /// Entries of the shared store with a seal that is not ours.
    pub const TOKEN_STORE_FORGED: Metric = Metric::counter(
        "portcullis_token_store_forged_total",
        &[],
        "Entries of the shared store with a seal that is not ours",
    );
    /// DPoP proofs that verified, by whether they were seen before: `first`, `first_here` (the shared store is away),
    /// `replayed`, `replayed_elsewhere` (the shared store knows them), `forgotten` (they were made in a time that is
    /// forgotten, since the memory is full) or `unknown` (the shared store is away, and requests are refused).
    pub const DPOP_PROOFS: Metric = Metric::counter(
        "portcullis_dpop_proofs_total",
        &["outcome"],
        "DPoP proofs that verified, by outcome: first, first_here (the shared store is away), replayed, replayed_elsewhere (the shared store knows it), forgotten (the memory is full) or unknown (the shared store is away: refused)",
    );
    /// Failures of the shared store of DPoP proofs.
    pub const REPLAY_STORE_FAILURES: Metric = Metric::counter(
        "portcullis_replay_store_failures_total",
        &[],
        "Failures of the shared store of DPoP proofs, after each of which it is left out for a second",
    );

    /// Each of them, once.
    pub const ALL: &[Metric] = &[
        VERIFIED,
        REFUSED,
        WOULD_REFUSE,
        JWKS_FETCHES,
        JWKS_KEYS,
        JWKS_FETCHED_AT,
        INTROSPECTIONS,
        EXCHANGES,
        TOKEN_STORE_FAILURES,
        TOKEN_STORE_FORGED,
        DPOP_PROOFS,
        REPLAY_STORE_FAILURES,
    ];
}

/// A metric: its name, kind, labels and meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    /// The name, which ends in the unit or in `_total`, as Prometheus has it.
    pub name: &'static str,
    /// The kind.
    pub kind: MetricKind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// The meaning, in one line.
    pub help: &'static str,
}

/// The kind of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// A count that only grows.
    Counter,
    /// A value that rises and falls.
    Gauge,
    /// The distribution of values, in buckets.
    Histogram,
}

impl Metric {
    /// Describes a counter.
    #[must_use]
    pub const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self { name, kind: MetricKind::Counter, labels, help }
    }

    /// Describes a gauge.
    #[must_use]
    pub const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self { name, kind: MetricKind::Gauge, labels, help }
    }

    /// Describes a histogram.
    #[must_use]
    pub const fn histogram(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self { name, kind: MetricKind::Histogram, labels, help }
    }
}

impl MetricKind {
    /// Returns `counter`, `gauge` or `histogram`, as Prometheus names them.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::metrics::ALL;

    #[test]
    fn each_metric_is_in_the_readme_with_its_labels() {
        let readme = include_str!("../../../README.md");
        let row = |name: &str| readme.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        for metric in ALL {
            let row = row(metric.name).unwrap_or_else(|| panic!("{} is not in README.md", metric.name));
            let labels = row.split('|').nth(2).unwrap_or_default().split(':').next().unwrap_or_default();
            let labels: Vec<_> = labels.split(',').map(|label| label.trim().trim_matches('`')).collect();
            let labels: Vec<_> = labels.into_iter().filter(|label| !label.is_empty()).collect();
            assert_eq!(labels, metric.labels, "{row}");
        }
        let rows = readme.lines().filter(|line| line.starts_with("| `portcullis_")).count();
        assert_eq!(rows, ALL.len(), "README.md has a metric that does not exist");
    }
}
