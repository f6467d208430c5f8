//! Nonces of this server (RFC 9449 section 9).

use std::time::SystemTime;

/// The nonces of this server.
pub(crate) struct Nonces;

/// The time of a nonce.
pub(crate) struct NonceTime {
    pub(crate) made: SystemTime,
    pub(crate) until: SystemTime,
}

impl Nonces {
    pub(crate) fn check(&self, _nonce: &str, _now: SystemTime) -> Option<NonceTime> {
        None
    }
}
