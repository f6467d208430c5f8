//! The recorder of metrics.

use std::time::Duration;

use metrics::{describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use portcullis::names::{Metric, MetricKind};
use tokio::runtime::Handle;

use super::names;

/// The bucket bounds in seconds: a decision about a cached token takes microseconds, one that waits for an
/// authorization server up to its limit.
pub const BUCKETS: [f64; 15] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
/// The interval at which durations are put into their buckets; until then each takes up memory.
const UPKEEP: Duration = Duration::from_secs(1);

/// Installs the recorder; returns the renderer of `/metrics`.
///
/// Must be called inside a runtime, which then bounds the recorder's memory.
///
/// # Errors
///
/// If there is a recorder already.
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

/// Describes each metric to the recorder.
pub fn describe() {
    for Metric { name, kind, help, .. } in names::metrics() {
        match kind {
            MetricKind::Gauge => describe_gauge!(name, help),
            MetricKind::Histogram => describe_histogram!(name, help),
            _ => describe_counter!(name, help),
        }
    }
}

/// Makes a recorder for a single test.
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
            "# HELP portcullis_gateway_decision_seconds Duration of decisions, by door",
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
