//! The time of servers and clients: [`Clock`].

use std::time::{Duration, SystemTime};

use napi_derive::napi;
use portcullis_testkit::TestClock;

/// A clock that stands still until it is set.
#[napi]
pub struct Clock {
    pub(crate) clock: TestClock,
}

#[napi]
impl Clock {
    /// Makes a clock that shows this time, in milliseconds since 1970.
    #[napi(constructor)]
    pub fn new(milliseconds: f64) -> Self {
        Self { clock: TestClock::at(time(milliseconds)) }
    }

    /// Sets the time, in milliseconds since 1970.
    #[napi]
    pub fn set(&self, milliseconds: f64) {
        self.clock.set(time(milliseconds));
    }
}

/// The time, without the fraction of a millisecond. JavaScript has checked that it is after 1970.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a conversion of Rust saturates")]
fn time(milliseconds: f64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds as u64)
}
