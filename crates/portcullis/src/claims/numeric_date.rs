//! Seconds since the epoch, with fractions (`NumericDate`, RFC 7519 section 2).

use std::time::{Duration, SystemTime};

use crate::{json::Value, refusal::TokenFault};

/// A point in time, in seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct NumericDate(f64);

impl NumericDate {
    pub(super) const BEFORE_ALL: Self = Self(f64::NEG_INFINITY);
    pub(super) const AFTER_ALL: Self = Self(f64::INFINITY);

    /// Reads a claim that is a finite JSON number, if it is present.
    pub(crate) fn of(claim: Option<Value<'_>>, name: &'static str) -> Result<Option<Self>, TokenFault> {
        match Self::read(claim) {
            None if claim.is_some() => {
                Err(TokenFault::MalformedClaim { name, expected: "a finite number of seconds since 1970" })
            }
            read => Ok(read),
        }
    }

    /// Reads a value that is a finite JSON number.
    pub(super) fn read(value: Option<Value<'_>>) -> Option<Self> {
        value.and_then(Value::as_f64).filter(|seconds| seconds.is_finite()).map(Self)
    }

    pub(crate) fn plus(self, duration: Duration) -> Self {
        Self(self.0 + duration.as_secs_f64())
    }

    pub(super) fn minus(self, duration: Duration) -> Self {
        Self(self.0 - duration.as_secs_f64())
    }

    /// The same as a `SystemTime`, if it is in that type's range.
    pub(crate) fn to_system_time(self) -> Option<SystemTime> {
        let distance = whole(self.0.abs()).or_else(|| Duration::try_from_secs_f64(self.0.abs()).ok())?;
        match self.0 {
            0.0.. => SystemTime::UNIX_EPOCH.checked_add(distance),
            _ => SystemTime::UNIX_EPOCH.checked_sub(distance),
        }
    }

    /// The time since `earlier`; zero if this is not later.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::try_from_secs_f64((self.0 - earlier.0).max(0.0)).unwrap_or(Duration::MAX)
    }
}

impl From<SystemTime> for NumericDate {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => Self(since.as_secs_f64()),
            Err(before) => Self(-before.duration().as_secs_f64()),
        }
    }
}

/// The duration of a whole number of seconds: nearly every time is one, and this is the fast way.
fn whole(seconds: f64) -> Option<Duration> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the comparison below finds a loss")]
    let whole = seconds as u32;
    (f64::from(whole) == seconds).then(|| Duration::from_secs(whole.into()))
}
