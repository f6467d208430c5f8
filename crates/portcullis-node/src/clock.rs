//! The time of a test: [`Clock`].

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use napi_derive::napi;

/// A clock that stands still until it is set, by which a key service and its verifiers judge.
///
/// `lib/clock.js` hands over none but those of `portcullis/testkit`.
#[napi]
#[derive(Clone)]
pub struct Clock {
    /// The time, in milliseconds since 1970.
    milliseconds: Arc<AtomicU64>,
}

#[napi]
impl Clock {
    /// Makes a clock that shows this time, in milliseconds since 1970.
    #[napi(constructor)]
    pub fn new(milliseconds: f64) -> Self {
        Self { milliseconds: Arc::new(AtomicU64::new(whole(milliseconds))) }
    }

    /// Sets the time, in milliseconds since 1970.
    #[napi]
    pub fn set(&self, milliseconds: f64) {
        self.milliseconds.store(whole(milliseconds), Ordering::Release);
    }
}

impl Clock {
    /// The clock for the library.
    pub(crate) fn shared(&self) -> impl Fn() -> SystemTime + Send + Sync + 'static + use<> {
        let milliseconds = Arc::clone(&self.milliseconds);
        move || SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds.load(Ordering::Acquire))
    }
}

/// Returns the time by the clock of a test, or by the machine's if there is none.
pub(crate) fn now(clock: Option<&Clock>) -> SystemTime {
    clock.map_or_else(SystemTime::now, |clock| clock.shared()())
}

/// The number without its fraction. JavaScript has checked that it is a time after 1970.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a conversion of Rust saturates")]
fn whole(milliseconds: f64) -> u64 {
    milliseconds as u64
}
