//! The decision to use the keys at hand, fetch new ones, wait, or refuse: a pure function.

use std::time::{Duration, SystemTime};

use super::{bucket::Bucket, freshness::Freshness};

/// The state that a decision depends on, beside the time and the event.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// The times of the key set at hand; none without a usable key.
    pub(super) keys: Option<Freshness>,
    pub(super) fetching: bool,
    pub(super) backoff: Option<Backoff>,
    pub(super) bucket: Bucket,
}

/// The pause between fetches after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Backoff {
    pub(super) failures: u32,
    pub(super) until: SystemTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// The look of a request for a key.
    Lookup {
        /// True if the set at hand has the key.
        known: bool,
        /// True if the key is known to be missing: it was withdrawn, or a fetch within the last second did not bring it.
        missing: bool,
        waited: Waited,
    },
    /// The passing of time.
    Tick,
    /// The user's call for new keys.
    Demand,
}

/// The fetches that a request has waited for already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waited {
    No,
    /// A fetch that began before the request: it may have missed the newest key.
    ForAnOlderFetch,
    /// A fetch that began after the request: there is nothing newer to wait for.
    ForANewFetch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Go on with the keys at hand.
    Use,
    /// Go on with the keys at hand, and fetch new ones meanwhile.
    RefreshBehind,
    /// Wait for the fetch that is under way.
    Join,
    /// Fetch and wait. `charged`: it is caused by an unknown kid, and counts against the bucket.
    Fetch { charged: bool },
    /// The key is unknown, and no fetch would change that.
    RefuseUnknown,
    /// The keys, or this one, are unavailable until a server answers again.
    RefuseUnavailable { retry_after: Duration },
    /// Unknown kids have used up their fetches, so the key may be a new one.
    RefuseUntold { retry_after: Duration },
}

pub(super) fn decide(now: SystemTime, state: &State, event: Event) -> Decision {
    let usable = state.keys.is_some_and(|keys| keys.is_usable(now));
    match event {
        Event::Lookup { known: true, .. } if usable => refresh_if_due(now, state),
        Event::Lookup { known: false, missing, waited } if usable => unknown_kid(now, state, missing, waited),
        Event::Lookup { waited, .. } => no_keys(now, state, waited),
        Event::Tick => refresh_if_due(now, state),
        Event::Demand if state.fetching => Decision::Join,
        Event::Demand => Decision::Fetch { charged: false },
    }
}

fn refresh_if_due(now: SystemTime, state: &State) -> Decision {
    let may_fetch = !state.fetching && state.backing_off(now).is_none();
    if state.is_due(now) && may_fetch { Decision::RefreshBehind } else { Decision::Use }
}

fn no_keys(now: SystemTime, state: &State, waited: Waited) -> Decision {
    match state.backing_off(now) {
        _ if state.fetching && waited != Waited::ForANewFetch => Decision::Join,
        Some(retry_after) => Decision::RefuseUnavailable { retry_after },
        None if waited == Waited::ForANewFetch => Decision::RefuseUnavailable { retry_after: Duration::from_secs(1) },
        None => Decision::Fetch { charged: false },
    }
}

fn unknown_kid(now: SystemTime, state: &State, missing: bool, waited: Waited) -> Decision {
    if state.fetching && waited != Waited::ForANewFetch {
        return Decision::Join;
    }
    if let Some(retry_after) = state.backing_off(now) {
        return Decision::RefuseUnavailable { retry_after };
    }
    match waited {
        Waited::ForANewFetch => Decision::RefuseUnknown,
        _ if state.is_due(now) => Decision::Fetch { charged: false },
        _ if state.bucket.has_one(now) => Decision::Fetch { charged: true },
        _ if missing => Decision::RefuseUnknown,
        _ => Decision::RefuseUntold { retry_after: state.bucket.next_in(now) },
    }
}

impl State {
    pub(super) fn new(now: SystemTime) -> Self {
        Self { keys: None, fetching: false, backoff: None, bucket: Bucket::full(now) }
    }

    fn is_due(&self, now: SystemTime) -> bool {
        !self.keys.is_some_and(|keys| keys.is_fresh(now))
    }

    /// The time until a fetch may be tried again; none if one may be tried now.
    fn backing_off(&self, now: SystemTime) -> Option<Duration> {
        let left = self.backoff?.until.duration_since(now).ok()?;
        // More than the longest backoff: the clock went back, and the time is void.
        (!left.is_zero() && left <= Backoff::LONGEST).then_some(left)
    }

    /// The time until the next refresh is due.
    pub(super) fn idle_for(&self, now: SystemTime) -> Duration {
        let until_due = match self.keys {
            Some(keys) if keys.is_fresh(now) => keys.refresh_at.duration_since(now).unwrap_or_default(),
            _ => Duration::ZERO,
        };
        until_due.max(self.backing_off(now).unwrap_or_default())
    }
}

impl Backoff {
    const FIRST: Duration = Duration::from_secs(1);
    pub(super) const LONGEST: Duration = Duration::from_secs(60);

    /// The backoff after one more failure: twice as long each time; `jitter` of 0 to 1 takes up to half off.
    pub(super) fn after(previous: Option<Self>, now: SystemTime, jitter: f64) -> Self {
        let failures = previous.map_or(0, |previous| previous.failures).saturating_add(1);
        let doubled = Self::FIRST.saturating_mul(2_u32.saturating_pow(failures - 1)).min(Self::LONGEST);
        Self { failures, until: now + doubled.mul_f64(1.0 - 0.5 * jitter.clamp(0.0, 1.0)) }
    }
}

#[cfg(test)]
mod tests;
