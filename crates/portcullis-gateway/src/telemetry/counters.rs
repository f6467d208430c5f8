//! What is counted beside decisions.

use metrics::{Counter, counter, gauge};

/// Counts whether tokens were known.
#[derive(Clone)]
pub(crate) struct CacheLookups {
    hit: Counter,
    miss: Counter,
}

impl CacheLookups {
    pub(crate) fn new() -> Self {
        let of = |outcome| counter!("portcullis_gateway_token_cache_total", "outcome" => outcome);
        Self { hit: of("hit"), miss: of("miss") }
    }

    /// A token was looked up.
    pub(crate) fn count(&self, known: bool) {
        if known { self.hit.increment(1) } else { self.miss.increment(1) }
    }
}

/// A configuration was read again, and taken or not.
pub(crate) fn reloaded(taken: bool) {
    let outcome = if taken { "ok" } else { "failed" };
    counter!("portcullis_gateway_reloads_total", "outcome" => outcome).increment(1);
}

/// A changed configuration waits to be confirmed, or does not.
pub(crate) fn reload_waits(waits: bool) {
    gauge!("portcullis_gateway_reload_waits").set(f64::from(u8::from(waits)));
}
