//! The recorder of metrics, and what each of them means.

use std::time::Duration;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::runtime::Handle;

/// Seconds: a decision about a known token takes microseconds, one that asks an authorization server up to its limit.
const BUCKETS: [f64; 15] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
/// How often durations are put into their buckets; until then each takes up memory.
const UPKEEP: Duration = Duration::from_secs(1);

/// Installs the recorder; what it returns renders the text for `/metrics`.
///
/// Called inside a runtime, which then keeps the recorder's memory small.
///
/// # Errors
///
/// When there is a recorder already.
pub(crate) fn metrics() -> Result<PrometheusHandle, BuildError> {
    let handle = builder()?.install_recorder()?;
    describe();
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(keep_up(handle.clone()));
    }
    Ok(handle)
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &BUCKETS)
}

async fn keep_up(handle: PrometheusHandle) {
    let mut rounds = tokio::time::interval(UPKEEP);
    loop {
        rounds.tick().await;
        handle.run_upkeep();
    }
}

fn describe() {
    describe_gateway();
    describe_library();
}

fn describe_gateway() {
    describe_counter!("portcullis_gateway_decisions_total", "Decisions, by route and by code: pass, or why not");
    describe_counter!(
        "portcullis_gateway_would_refuse_total",
        "Requests that passed on routes that only report, and would be refused, by route and code"
    );
    describe_histogram!("portcullis_gateway_decision_seconds", Unit::Seconds, "How long decisions took, by door");
    describe_gauge!("portcullis_gateway_token_cache_tokens", "Tokens in the caches, by kind");
    describe_gauge!("portcullis_gateway_token_cache_bytes", Unit::Bytes, "What the caches of tokens take up, by kind");
    describe_counter!("portcullis_gateway_token_cache_total", "Looks into the cache of verified tokens, by outcome");
    describe_gauge!("portcullis_gateway_connections", "Open connections, by listener");
    describe_counter!(
        "portcullis_gateway_connections_full_total",
        "How often all connections of a listener were taken, so that new ones had to wait"
    );
    describe_counter!(
        "portcullis_gateway_connections_refused_total",
        "Connections of peers that are not in trusted_proxies and had as many as they may, by listener"
    );
    describe_counter!("portcullis_gateway_checks_too_large_total", "Checks over gRPC beyond limits.check_bytes");
    describe_counter!(
        "portcullis_gateway_connections_cut_total",
        "Connections that were dropped, by cause: slow_header and tls (limits.header_time), slow_reader (limits.request_time), idle (limits.idle_time)"
    );
    describe_counter!(
        "portcullis_gateway_requests_timed_out_total",
        "Requests that took longer than limits.request_time and were answered with 503"
    );
    describe_counter!("portcullis_gateway_reloads_total", "Reloads of the configuration, by outcome");
    describe_gauge!(
        "portcullis_gateway_reload_waits",
        "1 while a changed configuration waits to be confirmed by SIGHUP, since something is gone from it"
    );
    describe_counter!("portcullis_gateway_trace_exports_total", "Attempts to export spans, by outcome");
    describe_gauge!("portcullis_gateway_store_up", "1 while the shared store answers, 0 while it does not");
    describe_gauge!("portcullis_gateway_key_age_seconds", Unit::Seconds, "Age of the keys, by source");
}

fn describe_library() {
    describe_counter!("portcullis_verified_total", "Requests with a token that passed");
    describe_counter!("portcullis_refused_total", "Requests that were refused, by code");
    describe_counter!("portcullis_would_refuse_total", "Requests that would be refused, by code");
    describe_counter!("portcullis_jwks_fetches_total", "Attempts to fetch a key set, by source and outcome");
    describe_counter!("portcullis_introspections_total", "Questions about opaque tokens, by outcome");
    describe_counter!("portcullis_token_store_failures_total", "Failures of the shared store, by operation");
    describe_gauge!("portcullis_jwks_keys", "Usable keys, by source");
    describe_gauge!(
        "portcullis_jwks_fetched_timestamp_seconds",
        Unit::Seconds,
        "When the keys were fetched, by source"
    );
}

/// A recorder for a test of its own.
#[cfg(test)]
pub(crate) fn recorder() -> metrics_exporter_prometheus::PrometheusRecorder {
    #[allow(clippy::unwrap_used, reason = "a test that fails says so")]
    builder().unwrap().build_recorder()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_buckets_are_as_operators_know_them() {
        let recorder = recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            describe();
            metrics::histogram!("portcullis_gateway_decision_seconds", "door" => "grpc").record(0.0003);
            metrics::gauge!("portcullis_gateway_key_age_seconds", "source" => "https://as.example.com").set(7.0);
            metrics::gauge!("portcullis_gateway_token_cache_bytes", "kind" => "jwt").set(1.0);
        });
        let text = handle.render();
        for line in [
            "# HELP portcullis_gateway_decision_seconds How long decisions took, by door",
            "# TYPE portcullis_gateway_decision_seconds histogram",
            "portcullis_gateway_decision_seconds_bucket{door=\"grpc\",le=\"0.00025\"} 0",
            "portcullis_gateway_decision_seconds_bucket{door=\"grpc\",le=\"0.0005\"} 1",
            "portcullis_gateway_decision_seconds_count{door=\"grpc\"} 1",
            "portcullis_gateway_key_age_seconds{source=\"https://as.example.com\"} 7",
            "portcullis_gateway_token_cache_bytes{kind=\"jwt\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\nin\n{text}");
        }
    }
}
