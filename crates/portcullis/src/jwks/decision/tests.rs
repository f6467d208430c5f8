//! The decisions as a table, by the time since the last fetch: a refresh is due at 240 s, the keys are stale at 3,600 s.

use super::*;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;
const SECOND: Duration = Duration::from_secs(1);

/// A state some seconds after a fetch.
struct At(State, SystemTime);

fn after(age: u64) -> At {
    let fetched_at = NOW + 1_000_000 * SECOND;
    let keys = Freshness { fetched_at, refresh_at: fetched_at + 240 * SECOND, stale_at: fetched_at + 3600 * SECOND };
    let now = fetched_at + Duration::from_secs(age);
    At(State { keys: Some(keys), ..State::new(now) }, now)
}

fn without_keys() -> At {
    let now = NOW + 1_000_000 * SECOND;
    At(State::new(now), now)
}

impl At {
    fn fetching(mut self) -> Self {
        self.0.fetching = true;
        self
    }

    fn backing_off(mut self, seconds: u64) -> Self {
        self.0.backoff = Some(Backoff { failures: 3, until: self.1 + Duration::from_secs(seconds) });
        self
    }

    fn bucket_empty(mut self) -> Self {
        (0..5).for_each(|_| self.0.bucket.take(self.1));
        self
    }

    fn clock_back(mut self, seconds: u64) -> Self {
        self.1 -= Duration::from_secs(seconds);
        self
    }

    fn decide(&self, event: Event) -> Decision {
        decide(self.1, &self.0, event)
    }
}

const KNOWN: Event = Event::Lookup { known: true, missing: false, waited: Waited::No };
const UNKNOWN: Event = Event::Lookup { known: false, missing: false, waited: Waited::No };
const UNKNOWN_JOINED: Event = Event::Lookup { known: false, missing: false, waited: Waited::ForAnOlderFetch };
const UNKNOWN_FETCHED: Event = Event::Lookup { known: false, missing: false, waited: Waited::ForANewFetch };

const MISSING: Event = Event::Lookup { known: false, missing: true, waited: Waited::No };

const FREE: Decision = Decision::Fetch { charged: false };
const CHARGED: Decision = Decision::Fetch { charged: true };

fn unavailable(seconds: u64) -> Decision {
    Decision::RefuseUnavailable { retry_after: Duration::from_secs(seconds) }
}

fn untold(seconds: u64) -> Decision {
    Decision::RefuseUntold { retry_after: Duration::from_secs(seconds) }
}

#[test]
fn a_known_key_never_waits_while_the_set_is_usable() {
    let table = [
        ("fresh", after(0), Decision::Use),
        ("fresh, a fetch under way", after(10).fetching(), Decision::Use),
        ("just before the refresh", after(239), Decision::Use),
        ("due", after(240), Decision::RefreshBehind),
        ("due, a fetch under way", after(240).fetching(), Decision::Use),
        ("due, the endpoint is down", after(300).backing_off(10), Decision::Use),
        ("due, the bucket is empty", after(300).bucket_empty(), Decision::RefreshBehind),
        ("nearly stale", after(3599).backing_off(10), Decision::Use),
        ("the clock went back", after(10).clock_back(100), Decision::RefreshBehind),
        (
            "the clock went back an hour during a backoff",
            after(300).backing_off(10).clock_back(3600),
            Decision::RefreshBehind,
        ),
    ];
    for (case, state, expected) in table {
        assert_eq!(state.decide(KNOWN), expected, "{case}");
    }
}

#[test]
fn without_usable_keys_a_request_waits_for_a_fetch_or_is_told_when_to_come_back() {
    let stale = || after(3600);
    for event in [KNOWN, UNKNOWN] {
        let table = [
            ("stale", stale(), FREE),
            ("stale, a fetch under way", stale().fetching(), Decision::Join),
            ("stale, the endpoint is down", stale().backing_off(7), unavailable(7)),
            ("at the start", without_keys(), FREE),
            ("at the start, a fetch under way", without_keys().fetching(), Decision::Join),
            ("at the start, the endpoint is down", without_keys().backing_off(7), unavailable(7)),
            ("at the start, the bucket is empty", without_keys().bucket_empty(), FREE),
        ];
        for (case, state, expected) in table {
            assert_eq!(state.decide(event), expected, "{case}");
        }
    }
    assert_eq!(without_keys().backing_off(7).decide(UNKNOWN_FETCHED), unavailable(7));
    assert_eq!(without_keys().decide(UNKNOWN_FETCHED), unavailable(1));
    assert_eq!(without_keys().fetching().backing_off(7).decide(UNKNOWN_FETCHED), unavailable(7));
}

#[test]
fn an_unknown_kid_causes_one_fetch_that_the_bucket_bounds() {
    let table = [
        ("fresh", after(10), UNKNOWN, CHARGED),
        ("a fetch under way", after(10).fetching(), UNKNOWN, Decision::Join),
        ("after an older fetch", after(10), UNKNOWN_JOINED, CHARGED),
        ("after an older fetch, another under way", after(10).fetching(), UNKNOWN_JOINED, Decision::Join),
        ("after a new fetch", after(0), UNKNOWN_FETCHED, Decision::RefuseUnknown),
        ("after a new fetch, another under way", after(0).fetching(), UNKNOWN_FETCHED, Decision::RefuseUnknown),
        ("after a new fetch that failed", after(10).backing_off(3), UNKNOWN_FETCHED, unavailable(3)),
        ("the endpoint is down", after(10).backing_off(3), UNKNOWN, unavailable(3)),
        ("the bucket is empty", after(10).bucket_empty(), UNKNOWN, untold(10)),
        ("the bucket is empty, known to be missing", after(10).bucket_empty(), MISSING, Decision::RefuseUnknown),
        ("known to be missing", after(10), MISSING, CHARGED),
        ("the bucket is empty, after an older fetch", after(10).bucket_empty(), UNKNOWN_JOINED, untold(10)),
        ("the bucket is empty, after a new fetch", after(0).bucket_empty(), UNKNOWN_FETCHED, Decision::RefuseUnknown),
        ("the bucket is empty, a fetch under way", after(10).bucket_empty().fetching(), UNKNOWN, Decision::Join),
        // Forged kids cannot hold back a due refresh.
        ("due, the bucket is empty", after(240).bucket_empty(), UNKNOWN, FREE),
        ("due", after(240), UNKNOWN, FREE),
    ];
    for (case, state, event, expected) in table {
        assert_eq!(state.decide(event), expected, "{case}");
    }
}

#[test]
fn the_schedule_refreshes_when_due_and_not_while_the_endpoint_is_down() {
    let table = [
        ("fresh", after(10), Decision::Use),
        ("due", after(240), Decision::RefreshBehind),
        ("due, a fetch under way", after(240).fetching(), Decision::Use),
        ("due, backing off", after(240).backing_off(1), Decision::Use),
        ("no keys", without_keys(), Decision::RefreshBehind),
        ("no keys, backing off", without_keys().backing_off(1), Decision::Use),
        ("due, the bucket is empty", after(240).bucket_empty(), Decision::RefreshBehind),
    ];
    for (case, state, expected) in table {
        assert_eq!(state.decide(Event::Tick), expected, "{case}");
    }
    assert_eq!(after(10).0.idle_for(after(10).1), 230 * SECOND);
    let down = after(230).backing_off(60);
    assert_eq!(down.0.idle_for(down.1), 60 * SECOND);
}

#[test]
fn a_demand_fetches_at_once_or_joins() {
    assert_eq!(after(10).decide(Event::Demand), FREE);
    assert_eq!(after(10).backing_off(60).bucket_empty().decide(Event::Demand), FREE);
    assert_eq!(after(10).fetching().decide(Event::Demand), Decision::Join);
}

#[test]
fn no_request_waits_more_than_three_times() {
    // In each state, a wait leads to the next stage, and the last stage never waits.
    for state in [after(10), after(10).fetching(), after(9999), after(9999).fetching(), without_keys().fetching()] {
        let decision = state.decide(UNKNOWN_FETCHED);
        assert!(matches!(decision, Decision::RefuseUnknown | Decision::RefuseUnavailable { .. }), "{decision:?}");
    }
}

#[test]
fn backoff_doubles_up_to_a_minute_and_jitter_takes_up_to_half_off() {
    let mut backoff = None;
    let mut delays = Vec::new();
    for _ in 0..9 {
        backoff = Some(Backoff::after(backoff, NOW, 0.0));
        delays.extend(backoff.and_then(|backoff| backoff.until.duration_since(NOW).ok()).map(|delay| delay.as_secs()));
    }
    assert_eq!(delays, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    assert_eq!(Backoff::after(None, NOW, 1.0).until, NOW + Duration::from_millis(500));
    let many = Backoff { failures: u32::MAX, until: NOW };
    assert_eq!(Backoff::after(Some(many), NOW, 0.0).until, NOW + Backoff::LONGEST);
}
