//! The metrics of reloads, and of requests that took too long.

use metrics::{counter, gauge};

use super::names;

/// Counts a request that took longer than `limits.request_time`.
pub fn timed_out() {
    counter!(names::REQUESTS_TIMED_OUT.name).increment(1);
}

/// Counts a reload by its outcome.
pub(crate) fn reloaded(taken: bool) {
    let outcome = if taken { "ok" } else { "failed" };
    counter!(names::RELOADS.name, "outcome" => outcome).increment(1);
}

/// Sets the gauge of a changed configuration that is refused.
pub(crate) fn reload_refused(refused: bool) {
    gauge!(names::RELOAD_REFUSED.name).set(f64::from(u8::from(refused)));
}

/// Sets the gauge of a changed configuration that waits to be confirmed.
pub(crate) fn reload_waits(waits: bool) {
    gauge!(names::RELOAD_WAITS.name).set(f64::from(u8::from(waits)));
}
