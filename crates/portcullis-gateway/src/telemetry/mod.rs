//! What operators see: log lines on stderr and metrics for Prometheus. Never a token, never a secret.

mod counters;
mod decisions;
mod log;
mod metrics;

#[cfg(test)]
pub(crate) use self::metrics::recorder;
pub(crate) use self::{
    counters::{CacheLookups, reloaded},
    decisions::Decisions,
    log::init,
    metrics::metrics,
};
