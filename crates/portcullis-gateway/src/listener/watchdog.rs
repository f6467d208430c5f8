//! The limits on time that a connection may take: a pure decision on two looks at it.
//!
//! hyper has a time limit for header sections, but it includes the wait for the next request, and sets a timer for
//! each. A proxy keeps connections in a pool, for 60 s (nginx), 90 s (Traefik), 2 min (Caddy) or 1 h (Envoy), and a
//! request that it sends while we close fails. So an idle connection may stay longer than any of them keeps it, and has
//! to make room only while all places are taken.

use std::time::Duration;

use tokio::time::Instant;

use super::activity::{Phase, Seen};
use crate::config::Limits;

/// The watchdog of one connection.
#[derive(Debug)]
pub(super) struct Watchdog {
    last: Seen,
    since: Instant,
}

/// The next step with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    LetBe,
    /// It is idle: tell it to end.
    Close,
    /// It blocks us: drop it.
    Cut(Cause),
}

/// The reason why a connection is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The header section did not arrive in time.
    SlowHeader,
    /// The answer was not read in time.
    SlowReader,
    /// It was told to end and did not.
    Idle,
}

impl Watchdog {
    pub(super) fn new(first: Seen, now: Instant) -> Self {
        Self { last: first, since: now }
    }

    /// Judges a connection; `crowded` means that others wait for a place.
    pub(super) fn look(&mut self, seen: Seen, now: Instant, crowded: bool, limits: &Limits) -> Verdict {
        // Requests have a time limit of their own; the client's time begins with the answer.
        let waits_for_us = seen.calls > 0 && seen.phase() != Phase::Reading;
        if waits_for_us || !seen.same_as(self.last) {
            self.last = seen;
            self.since = now;
        }
        verdict(seen.phase(), now.duration_since(self.since), crowded, limits)
    }
}

fn verdict(phase: Phase, lasted: Duration, crowded: bool, limits: &Limits) -> Verdict {
    let idle = if crowded { limits.header_time.min(limits.idle_time) } else { limits.idle_time };
    match phase {
        Phase::Head if lasted >= limits.header_time => Verdict::Cut(Cause::SlowHeader),
        Phase::Reading if lasted >= limits.request_time => Verdict::Cut(Cause::SlowReader),
        Phase::Idle if lasted >= idle + limits.header_time => Verdict::Cut(Cause::Idle),
        Phase::Idle if lasted >= idle => Verdict::Close,
        _ => Verdict::LetBe,
    }
}

impl Cause {
    /// Returns the configuration key of its limit.
    pub(super) fn limit(self) -> &'static str {
        match self {
            Self::SlowHeader => "limits.header_time",
            Self::SlowReader => "limits.request_time",
            Self::Idle => "limits.idle_time",
        }
    }

    /// Returns its name in metrics.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::SlowHeader => "slow_header",
            Self::SlowReader => "slow_reader",
            Self::Idle => "idle",
        }
    }
}

/// Returns the time between looks: a quarter of the shortest limit, and at least 20 ms.
pub(super) fn pace(limits: &Limits) -> Duration {
    let shortest = limits.header_time.min(limits.request_time);
    (shortest / 4).clamp(Duration::from_millis(20), Duration::from_secs(1))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says so")]
mod tests {
    use std::sync::Arc;

    use http::Version;

    use super::*;
    use crate::listener::activity::Activity;

    const HEADER: Duration = Duration::from_secs(5);
    const IDLE_TIME: Duration = Duration::from_secs(65 * 60);
    const REQUEST: Duration = Duration::from_secs(20);

    fn limits() -> Limits {
        Limits {
            connections: 10,
            connections_per_peer: 10,
            streams: 10,
            check_bytes: 32 << 10,
            path_bytes: 8 << 10,
            idle_time: IDLE_TIME,
            header_bytes: 16 << 10,
            header_time: HEADER,
            request_time: REQUEST,
            drain_time: REQUEST,
        }
    }

    /// Returns the verdict after each of the `times`, on a connection on which nothing more happens.
    fn verdicts(activity: &Activity, crowded: bool, times: &[Duration]) -> Vec<Verdict> {
        let start = Instant::now();
        let mut watchdog = Watchdog::new(activity.seen(), start);
        times.iter().map(|time| watchdog.look(activity.seen(), start + *time, crowded, &limits())).collect()
    }

    #[test]
    fn a_new_connection_owes_a_header_section() {
        let activity = Activity::new();
        let verdicts = verdicts(&activity, false, &[HEADER / 2, HEADER]);
        assert_eq!(verdicts, [Verdict::LetBe, Verdict::Cut(Cause::SlowHeader)]);
    }

    #[test]
    fn bytes_that_trickle_in_win_no_time() {
        let activity = Arc::new(Activity::new());
        drop(activity.called(Version::HTTP_11));
        let start = Instant::now();
        let mut watchdog = Watchdog::new(activity.seen(), start);
        activity.received();
        assert_eq!(watchdog.look(activity.seen(), start, false, &limits()), Verdict::LetBe);
        for _ in 0..10 {
            activity.received();
        }
        let verdict = watchdog.look(activity.seen(), start + HEADER, false, &limits());
        assert_eq!(verdict, Verdict::Cut(Cause::SlowHeader));
    }

    #[test]
    fn a_pooled_connection_stays_until_others_need_its_place() {
        let activity = Arc::new(Activity::new());
        drop(activity.called(Version::HTTP_11));
        let hour = Duration::from_secs(3600);
        assert_eq!(verdicts(&activity, false, &[HEADER, hour]), [Verdict::LetBe; 2]);
        assert_eq!(
            verdicts(&activity, false, &[IDLE_TIME, IDLE_TIME + HEADER]),
            [Verdict::Close, Verdict::Cut(Cause::Idle)]
        );
        assert_eq!(verdicts(&activity, true, &[HEADER, 2 * HEADER]), [Verdict::Close, Verdict::Cut(Cause::Idle)]);
    }

    #[test]
    fn a_request_in_flight_is_not_the_clients_fault() {
        let activity = Arc::new(Activity::new());
        let call = activity.called(Version::HTTP_11);
        activity.received();
        let start = Instant::now();
        let mut watchdog = Watchdog::new(activity.seen(), start);
        let later = start + 2 * IDLE_TIME;
        assert_eq!(watchdog.look(activity.seen(), later, true, &limits()), Verdict::LetBe);
        drop(call);
        assert_eq!(watchdog.look(activity.seen(), later + HEADER / 2, true, &limits()), Verdict::LetBe);
        assert_eq!(watchdog.look(activity.seen(), later + HEADER, true, &limits()), Verdict::Close);
    }

    #[test]
    fn an_answer_has_to_be_read_whatever_else_is_in_flight() {
        let activity = Arc::new(Activity::new());
        let _call = activity.called(Version::HTTP_2);
        activity.stalled();
        assert_eq!(verdicts(&activity, false, &[HEADER, REQUEST]), [Verdict::LetBe, Verdict::Cut(Cause::SlowReader)]);
        activity.flushed();
        assert_eq!(verdicts(&activity, false, &[REQUEST]), [Verdict::LetBe]);
    }

    #[test]
    fn frames_of_control_begin_no_header_section() {
        let activity = Arc::new(Activity::new());
        drop(activity.called(Version::HTTP_2));
        activity.received();
        assert_eq!(verdicts(&activity, false, &[HEADER]), [Verdict::LetBe]);
    }

    #[test]
    fn it_looks_often_enough() {
        assert_eq!(pace(&limits()), Duration::from_secs(1));
        assert_eq!(pace(&Limits { header_time: Duration::from_millis(400), ..limits() }), Duration::from_millis(100));
        assert_eq!(pace(&Limits { request_time: Duration::ZERO, ..limits() }), Duration::from_millis(20));
    }
}
