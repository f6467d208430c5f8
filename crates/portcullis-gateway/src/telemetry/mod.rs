//! What operators see: log lines on stderr, metrics for Prometheus, traces for OpenTelemetry. Never a token, never a secret.

mod counters;
mod log;
mod metrics;
pub(crate) mod names;
mod seldom;
mod traces;

#[cfg(test)]
pub(crate) use self::metrics::recorder;
pub(crate) use self::{
    counters::{reload_waits, reloaded},
    log::init,
    metrics::metrics,
    seldom::Seldom,
    traces::{TRACEPARENT, Traces},
};
