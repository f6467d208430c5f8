//! The metrics of reloads.

use metrics::{counter, gauge};

/// A configuration was read again, and taken or not.
pub(crate) fn reloaded(taken: bool) {
    let outcome = if taken { "ok" } else { "failed" };
    counter!("portcullis_gateway_reloads_total", "outcome" => outcome).increment(1);
}

/// A changed configuration waits to be confirmed, or does not.
pub(crate) fn reload_waits(waits: bool) {
    gauge!("portcullis_gateway_reload_waits").set(f64::from(u8::from(waits)));
}
