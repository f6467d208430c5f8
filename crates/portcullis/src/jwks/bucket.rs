//! A token bucket that bounds the fetches for unknown kids, and for unknown tenants.

use std::time::{Duration, SystemTime};

/// The number of such fetches that may come at once.
const CAPACITY: u32 = 5;

/// The time after which one more may come.
const REFILL: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    left: u32,
    /// The time from which the next refill is measured.
    since: SystemTime,
}

impl Bucket {
    pub(super) fn full(now: SystemTime) -> Self {
        Self { left: CAPACITY, since: now }
    }

    pub(super) fn empty(now: SystemTime) -> Self {
        Self { left: 0, since: now }
    }

    pub(super) fn has_one(&self, now: SystemTime) -> bool {
        self.refilled(now).left > 0
    }

    /// The time until the next token.
    pub(super) fn next_in(&self, now: SystemTime) -> Duration {
        let Self { left, since } = self.refilled(now);
        if left > 0 { Duration::ZERO } else { REFILL.saturating_sub(now.duration_since(since).unwrap_or_default()) }
    }

    pub(super) fn take(&mut self, now: SystemTime) {
        *self = self.refilled(now);
        self.left = self.left.saturating_sub(1);
    }

    /// Gives one back that was taken for good.
    pub(super) fn give_back(&mut self, now: SystemTime) {
        *self = self.refilled(now);
        self.left = self.left.saturating_add(1).min(CAPACITY);
    }

    fn refilled(&self, now: SystemTime) -> Self {
        let Ok(elapsed) = now.duration_since(self.since) else {
            // The clock went back: the time runs again from here.
            return Self { since: now, ..*self };
        };
        let refills = u32::try_from(elapsed.as_secs() / REFILL.as_secs()).unwrap_or(u32::MAX);
        if self.left.saturating_add(refills) >= CAPACITY {
            return Self::full(now);
        }
        Self { left: self.left + refills, since: self.since + REFILL * refills }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_at_once_then_one_each_ten_seconds() {
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let mut bucket = Bucket::full(start);
        let mut granted = Vec::new();
        for second in 0..60 {
            let now = start + Duration::from_secs(second);
            for _ in 0..10 {
                if bucket.has_one(now) {
                    bucket.take(now);
                    granted.push(second);
                }
            }
        }
        assert_eq!(granted, [0, 0, 0, 0, 0, 10, 20, 30, 40, 50]);
    }

    #[test]
    fn a_clock_that_goes_back_neither_empties_nor_fills_it() {
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let mut bucket = Bucket::full(start);
        (0..5).for_each(|_| bucket.take(start));
        let back = start - Duration::from_secs(100_000);
        assert!(!bucket.has_one(back));
        bucket.take(back);
        assert!(bucket.has_one(back + REFILL));
    }

    #[test]
    fn it_is_full_again_after_a_long_time_and_no_fuller() {
        let start = SystemTime::UNIX_EPOCH;
        let mut bucket = Bucket::full(start);
        (0..5).for_each(|_| bucket.take(start));
        let later = start + Duration::from_secs(u64::from(u32::MAX) * 100);
        (0..5).for_each(|_| {
            assert!(bucket.has_one(later));
            bucket.take(later);
        });
        assert!(!bucket.has_one(later));
    }
}
