use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::sync::lock;

/// A clock that stands still until the test moves it; clones share one time.
///
/// ```
/// use std::time::Duration;
/// use portcullis_testkit::TestClock;
///
/// let clock = TestClock::new();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(300));
/// assert_eq!(clock.now(), before + Duration::from_secs(300));
/// ```
#[derive(Clone, Debug)]
pub struct TestClock {
    now: Arc<Mutex<SystemTime>>,
}

impl TestClock {
    /// A clock frozen at the real time, rounded down to a whole second.
    #[must_use]
    pub fn new() -> Self {
        Self::at(whole_seconds(SystemTime::now()))
    }

    /// A clock frozen at `now`, to the nanosecond.
    #[must_use]
    pub fn at(now: SystemTime) -> Self {
        Self { now: Arc::new(Mutex::new(now)) }
    }

    /// The time that this clock shows.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        *lock(&self.now)
    }

    /// Moves the time forward.
    pub fn advance(&self, by: Duration) {
        *lock(&self.now) += by;
    }

    /// Moves the time back, as a corrected system clock does.
    pub fn rewind(&self, by: Duration) {
        *lock(&self.now) -= by;
    }

    /// Jumps to `now`.
    pub fn set(&self, now: SystemTime) {
        *lock(&self.now) = now;
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}

/// A JWT `NumericDate`: seconds since 1970-01-01T00:00:00Z, rounded towards zero.
pub(crate) fn numeric_date(time: SystemTime) -> i64 {
    let signed = |d: Duration| i64::try_from(d.as_secs()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => signed(since),
        Err(before) => -signed(before.duration()),
    }
}

fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_one_time() {
        let clock = TestClock::at(UNIX_EPOCH + Duration::from_secs(100));
        let other = clock.clone();

        other.advance(Duration::from_secs(5));
        assert_eq!(numeric_date(clock.now()), 105);
        clock.rewind(Duration::from_secs(10));
        assert_eq!(numeric_date(other.now()), 95);
        clock.set(UNIX_EPOCH);
        assert_eq!(numeric_date(other.now()), 0);
    }

    #[test]
    fn times_before_1970_are_negative() {
        assert_eq!(numeric_date(UNIX_EPOCH - Duration::from_secs(7)), -7);
    }

    #[test]
    fn a_new_clock_shows_a_whole_second() {
        let since = TestClock::new().now().duration_since(UNIX_EPOCH).unwrap();
        assert_eq!(since.subsec_nanos(), 0);
    }
}
