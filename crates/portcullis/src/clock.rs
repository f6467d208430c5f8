//! The source of the time.

use std::time::SystemTime;

/// A source of the time; tests pass their own.
///
/// Any `Fn() -> SystemTime` is a clock.
///
/// # Example
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use portcullis::Clock;
///
/// let stopped = || SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
/// assert_eq!(Clock::now(&stopped), SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000));
/// ```
pub trait Clock: Send + Sync + 'static {
    /// Returns the current time, by which tokens are judged and the age of keys is measured.
    fn now(&self) -> SystemTime;
}

impl<F: Fn() -> SystemTime + Send + Sync + 'static> Clock for F {
    fn now(&self) -> SystemTime {
        self()
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}
