//! The names of the gateway's metrics and spans; those of the library are in [`portcullis::names`].

use portcullis::names::{Metric, metrics as of_library};

/// The span of one decision.
pub(crate) const DECIDE: &str = "decide";

/// The decisions: `pass`, or the code of the refusal.
pub(crate) const DECISIONS: Metric = Metric::counter(
    "portcullis_gateway_decisions_total",
    &["route", "code"],
    "Decisions, by route and code: pass, or that of the refusal",
);
pub(crate) const WOULD_REFUSE: Metric = Metric::counter(
    "portcullis_gateway_would_refuse_total",
    &["route", "code"],
    "Requests that passed on routes that only report, and would be refused, by route and code",
);
pub(crate) const DECISION_SECONDS: Metric =
    Metric::histogram("portcullis_gateway_decision_seconds", &["door"], "Duration of decisions, by door");
pub(crate) const CACHE_LOOKUPS: Metric = Metric::counter(
    "portcullis_gateway_token_cache_total",
    &["outcome"],
    "Looks into the cache of verified tokens, by outcome",
);
pub(crate) const CACHE_TOKENS: Metric =
    Metric::gauge("portcullis_gateway_token_cache_tokens", &["kind"], "Tokens in the caches, by kind");
pub(crate) const CACHE_BYTES: Metric =
    Metric::gauge("portcullis_gateway_token_cache_bytes", &["kind"], "Memory of the caches of tokens, by kind");
pub(crate) const KEY_AGE: Metric =
    Metric::gauge("portcullis_gateway_key_age_seconds", &["source"], "Age of the keys, by source");
pub(crate) const CONNECTIONS: Metric =
    Metric::gauge("portcullis_gateway_connections", &["listener"], "Open connections, by listener");
pub(crate) const CONNECTIONS_FULL: Metric = Metric::counter(
    "portcullis_gateway_connections_full_total",
    &["listener"],
    "Times at which all connections of a listener were taken, so that new ones had to wait",
);
pub(crate) const CONNECTIONS_REFUSED: Metric = Metric::counter(
    "portcullis_gateway_connections_refused_total",
    &["listener"],
    "Connections of peers that are not in trusted_proxies and had as many as they may, by listener",
);
pub(crate) const CONNECTIONS_CUT: Metric = Metric::counter(
    "portcullis_gateway_connections_cut_total",
    &["cause"],
    "Connections that were dropped, by cause: slow_header and tls (limits.header_time), slow_reader (limits.request_time), idle (limits.idle_time)",
);
pub(crate) const REQUESTS_TIMED_OUT: Metric = Metric::counter(
    "portcullis_gateway_requests_timed_out_total",
    &[],
    "Requests that took longer than limits.request_time and were answered with 503",
);
pub(crate) const CHECKS_TOO_LARGE: Metric =
    Metric::counter("portcullis_gateway_checks_too_large_total", &[], "Checks over gRPC beyond limits.check_bytes");
pub(crate) const RELOADS: Metric =
    Metric::counter("portcullis_gateway_reloads_total", &["outcome"], "Reloads of the configuration, by outcome");
pub(crate) const RELOAD_WAITS: Metric = Metric::gauge(
    "portcullis_gateway_reload_waits",
    &[],
    "1 while a changed configuration waits to be confirmed by SIGHUP, since something is gone from it",
);
pub(crate) const RELOAD_REFUSED: Metric = Metric::gauge(
    "portcullis_gateway_reload_refused",
    &[],
    "1 while the changed configuration is refused: the old one is in force until a restart, which would fail",
);
pub(crate) const STORE_UP: Metric =
    Metric::gauge("portcullis_gateway_store_up", &[], "1 while the shared store answers, 0 while it does not");
pub(crate) const TRACE_EXPORTS: Metric =
    Metric::counter("portcullis_gateway_trace_exports_total", &["outcome"], "Attempts to export spans, by outcome");

const OF_GATEWAY: [Metric; 18] = [
    DECISIONS,
    WOULD_REFUSE,
    DECISION_SECONDS,
    CACHE_LOOKUPS,
    CACHE_TOKENS,
    CACHE_BYTES,
    KEY_AGE,
    CONNECTIONS,
    CONNECTIONS_FULL,
    CONNECTIONS_REFUSED,
    CONNECTIONS_CUT,
    REQUESTS_TIMED_OUT,
    CHECKS_TOO_LARGE,
    RELOADS,
    RELOAD_WAITS,
    RELOAD_REFUSED,
    STORE_UP,
    TRACE_EXPORTS,
];

/// Returns each metric of `/metrics`.
pub(super) fn metrics() -> impl Iterator<Item = Metric> {
    OF_GATEWAY.into_iter().chain(of_library::ALL.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `docs/gateway.md` is compared with a real run, too: `tests/it/metrics.rs`.
    #[test]
    fn the_documented_metrics_are_these() {
        let row = |metric: Metric| {
            let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
            format!("| `{}` | {} | {} | {} |", metric.name, metric.kind.name(), labels.join(", "), metric.help)
                .replace("|  |", "| |")
        };
        let expected: Vec<_> = metrics().map(row).collect();
        let page = include_str!("../../../../docs/gateway.md");
        let documented: Vec<_> = page.lines().filter(|line| line.starts_with("| `portcullis_")).collect();
        assert_eq!(documented, expected, "write into docs/gateway.md:\n{}", expected.join("\n"));
    }
    /// A metric that is gone, or has other labels, breaks the users' dashboards: docs/stability.md.
    #[test]
    fn the_metrics_are_those_that_were_promised() {
        let row = |metric: Metric| format!("metric {} {} {}", metric.name, metric.kind.name(), metric.labels.join(","));
        let mut expected: Vec<_> = metrics().map(|metric| row(metric).trim_end().to_owned()).collect();
        expected.sort();
        let list = include_str!("../../../../docs/stable-names.txt").lines();
        let listed: Vec<_> = list.filter(|line| line.starts_with("metric ")).collect();
        assert_eq!(listed, expected, "write into docs/stable-names.txt:\n{}", expected.join("\n"));
    }
}
