//! The pause after failures of a server: a pure decision.

use std::time::{Duration, SystemTime};

/// The number of failures in a row after which no questions are asked.
const PATIENCE: u32 = 5;

/// The first and the longest pause.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The time until another try while a probe is under way, or if nothing else is known.
pub(super) const SOON: Duration = Duration::from_secs(1);

/// Counts failures. Closed, it admits all questions; open, none; after a pause, one probe.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    open_until: Option<SystemTime>,
    probing: bool,
}

impl Breaker {
    /// Admits a question, or returns the time until another try.
    pub(super) fn admit(&mut self, now: SystemTime) -> Result<(), Duration> {
        match self.refuses(now) {
            Some(retry_after) => Err(retry_after),
            None => {
                self.probing = self.open_until.is_some();
                Ok(())
            }
        }
    }

    /// The rest of the pause; none if questions may be asked.
    pub(super) fn refuses(&self, now: SystemTime) -> Option<Duration> {
        let left = self.open_until?.duration_since(now).unwrap_or_default();
        match left {
            // More than the longest pause: the clock went back, and the time is void.
            left if !left.is_zero() && left <= LONGEST_PAUSE => Some(left),
            _ => self.probing.then_some(SOON),
        }
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    pub(super) fn succeed(&mut self) {
        *self = Self::default();
    }

    /// Records a question that shows nothing about the server: the next one is the probe.
    pub(super) fn leave(&mut self) {
        self.probing = false;
    }

    /// Records a failure; returns the time until another try. `jitter` of 0 to 1 takes up to half off a pause.
    pub(super) fn fail(&mut self, now: SystemTime, jitter: f64) -> Duration {
        // Questions that were under way when it opened count as one failure.
        if let (Some(left), false) = (self.refuses(now), self.probing) {
            return left;
        }
        self.failures = self.failures.saturating_add(1);
        self.probing = false;
        let Some(pauses) = self.failures.checked_sub(PATIENCE) else { return SOON };
        let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(pauses)).min(LONGEST_PAUSE);
        let pause = doubled.mul_f64(1.0 - 0.5 * jitter.clamp(0.0, 1.0));
        self.open_until = Some(now + pause);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: SystemTime = SystemTime::UNIX_EPOCH;

    fn at(seconds: u64) -> SystemTime {
        START + Duration::from_secs(1_000_000 + seconds)
    }

    fn after_failures(count: u32) -> Breaker {
        let mut breaker = Breaker::default();
        (0..count).for_each(|_| {
            breaker.fail(at(0), 0.0);
        });
        breaker
    }

    #[test]
    fn it_opens_after_five_failures_and_no_fewer() {
        assert!(after_failures(4).admit(at(0)).is_ok());
        assert_eq!(after_failures(5).admit(at(0)), Err(FIRST_PAUSE));
    }

    #[test]
    fn a_success_starts_the_count_anew() {
        let mut breaker = after_failures(4);
        breaker.succeed();
        breaker.fail(at(0), 0.0);
        assert!(breaker.admit(at(0)).is_ok());
    }

    #[test]
    fn one_question_finds_out_and_the_others_wait() {
        let mut breaker = after_failures(5);
        assert!(breaker.admit(at(2)).is_ok());
        assert_eq!(breaker.admit(at(2)), Err(SOON));
        breaker.succeed();
        assert!(breaker.admit(at(2)).is_ok() && breaker.admit(at(2)).is_ok());
    }

    #[test]
    fn a_question_that_finds_out_nothing_leaves_that_to_the_next() {
        let mut breaker = after_failures(5);
        assert!(breaker.admit(at(2)).is_ok());
        breaker.leave();
        assert_eq!(breaker.failures(), 5);
        assert!(breaker.admit(at(2)).is_ok());
        assert_eq!(breaker.admit(at(2)), Err(SOON), "one at a time");
    }

    #[test]
    fn pauses_grow_up_to_half_a_minute() {
        let mut breaker = after_failures(4);
        let mut pauses: Vec<u64> = (0..8).map(|turn| breaker.fail(at(100 * turn), 0.0).as_secs()).collect();
        pauses.push(breaker.fail(at(800), 1.0).as_secs());
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30, 15]);
    }

    #[test]
    fn many_that_fail_at_once_make_no_longer_pause() {
        let mut breaker = after_failures(64);
        assert_eq!((breaker.failures(), breaker.admit(at(0))), (5, Err(FIRST_PAUSE)));
        assert!(breaker.admit(at(2)).is_ok());
        assert_eq!(breaker.fail(at(2), 0.0), 2 * FIRST_PAUSE, "the probe fails");
    }

    #[test]
    fn a_clock_that_goes_back_does_not_hold_it_open() {
        let mut breaker = after_failures(5);
        assert!(breaker.admit(START).is_ok());
    }
}
