//! Where the time comes from.

use std::time::SystemTime;

/// Tells the time; a test hands in its own.
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
    /// The time now: tokens are judged, and the age of keys is measured, by it.
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
