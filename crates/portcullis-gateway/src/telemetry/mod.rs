//! What operators see: log lines on stderr, metrics for Prometheus, traces for OpenTelemetry. Never a token, never a secret.

mod counters;
mod decisions;
mod log;
mod metrics;
mod seldom;
mod traces;

#[cfg(test)]
pub(crate) use self::metrics::recorder;
pub(crate) use self::{
    counters::{CacheLookups, reload_waits, reloaded},
    decisions::Decisions,
    log::init,
    metrics::metrics,
    seldom::Seldom,
    traces::{Decided, Deciding, TRACEPARENT, Traces},
};
