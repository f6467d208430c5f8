//! The operators' view: log lines on stderr, metrics for Prometheus, traces for OpenTelemetry. No token and no secret
//! is in it.

mod counters;
mod log;
mod metrics;
pub(crate) mod names;
mod seldom;
mod traces;

#[cfg(test)]
pub(crate) use self::metrics::recorder;
pub use self::{
    counters::timed_out,
    log::is_refusal_of_library,
    metrics::{BUCKETS, describe},
};
pub(crate) use self::{
    counters::{reload_refused, reload_waits, reloaded},
    log::init,
    metrics::metrics,
    seldom::Seldom,
    traces::{TRACEPARENT, Traces},
};
