//! The times at which a fetched key set is due for a refresh, and stale (RFC 9111 section 5.2.2.1).

use std::time::{Duration, SystemTime};

use http::HeaderMap;

use crate::transport::cache_control;

/// The times of a key set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Freshness {
    pub(super) fetched_at: SystemTime,
    /// The time from which the set is due for a refresh, somewhat ahead of the end of its age.
    pub(super) refresh_at: SystemTime,
    /// The time from which the set must not be used.
    pub(super) stale_at: SystemTime,
}

impl Freshness {
    /// The times of a set; `lead` of 0 to 1 spreads the refreshes of many replicas over a tenth of the age.
    pub(super) fn new(fetched_at: SystemTime, max_age: Duration, max_stale: Duration, lead: f64) -> Self {
        let refresh_after = max_age.mul_f64(0.8 + 0.1 * lead.clamp(0.0, 1.0)).min(max_stale);
        Self { fetched_at, refresh_at: later(fetched_at, refresh_after), stale_at: later(fetched_at, max_stale) }
    }

    /// Tells whether the set is usable and not due for a refresh.
    pub(super) fn is_fresh(&self, now: SystemTime) -> bool {
        self.fetched_at <= now && now < self.refresh_at
    }

    /// Tells whether the set is usable. A clock that went back does not make it stale, but due.
    pub(super) fn is_usable(&self, now: SystemTime) -> bool {
        now < self.stale_at
    }
}

/// Adds to a time; adds a century if the sum is out of range.
fn later(time: SystemTime, by: Duration) -> SystemTime {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    time.checked_add(by).unwrap_or(time + CENTURY)
}

/// The age that a response allows, bounded so that the server is asked neither too often nor too rarely.
pub(super) fn max_age(headers: &HeaderMap, default: Duration) -> Duration {
    const SHORTEST: Duration = Duration::from_secs(60);
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    match cache_control_max_age(headers) {
        Some(age) => age.clamp(SHORTEST, LONGEST),
        None => default,
    }
}

fn cache_control_max_age(headers: &HeaderMap) -> Option<Duration> {
    cache_control(headers).find_map(|(name, argument)| {
        let seconds = argument.filter(|_| name.eq_ignore_ascii_case("max-age"))?;
        seconds.parse().ok().map(Duration::from_secs)
    })
}

#[cfg(test)]
mod tests {
    use http::header::CACHE_CONTROL;

    use super::*;

    #[test]
    fn cache_control_is_read_and_clamped() {
        let default = Duration::from_secs(300);
        let table: &[(&[&str], u64)] = &[
            (&[], 300),
            (&["no-cache"], 300),
            (&["max-age=600"], 600),
            (&["public, Max-Age = 600, must-revalidate"], 600),
            (&["max-age=\"600\""], 600),
            (&["public", "max-age=600"], 600),
            (&["s-maxage=600"], 300),
            (&["max-age=0"], 60),
            (&["max-age=59"], 60),
            (&["max-age=31536000"], 86_400),
            (&["max-age=-1"], 300),
            (&["max-age=99999999999999999999999999"], 300),
            (&["max-age=x"], 300),
        ];
        for (fields, expected) in table {
            let mut headers = HeaderMap::new();
            for field in *fields {
                headers.append(CACHE_CONTROL, field.parse().unwrap());
            }
            assert_eq!(max_age(&headers, default).as_secs(), *expected, "{fields:?}");
        }
    }

    #[test]
    fn for_ever_is_a_long_time() {
        let now = SystemTime::now();
        let marks = Freshness::new(now, Duration::MAX, Duration::MAX, 1.0);
        assert!(marks.is_fresh(now + Duration::from_secs(1_000_000_000)));
    }

    #[test]
    fn the_refresh_comes_ahead_of_the_age() {
        let start = SystemTime::UNIX_EPOCH;
        let (age, stale) = (Duration::from_secs(300), Duration::from_secs(86_400));
        for (lead, expected) in [(0.0, 240), (1.0, 270), (7.0, 270)] {
            let marks = Freshness::new(start, age, stale, lead);
            assert_eq!(marks.refresh_at, start + Duration::from_secs(expected));
            assert_eq!(marks.stale_at, start + stale);
        }
    }
}
