//! The time in which a token is good.

use std::time::SystemTime;

use super::numeric_date::NumericDate;

/// A claim that is a time (RFC 7519 sections 4.1.4 to 4.1.6).
#[derive(Clone, Copy)]
pub(super) enum TimeClaim {
    Exp,
    Nbf,
    Iat,
}

impl TimeClaim {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Exp => "exp",
            Self::Nbf => "nbf",
            Self::Iat => "iat",
        }
    }
}

/// The bound that a check sets to the time in which a token is good.
#[derive(Clone, Copy)]
pub(super) enum Bound {
    /// Good from this moment on.
    From(NumericDate),
    /// Good before this moment.
    Until(NumericDate),
}

impl Bound {
    pub(super) fn holds(self, now: NumericDate) -> bool {
        match self {
            Self::From(first) => first <= now,
            Self::Until(end) => now < end,
        }
    }
}

/// The bounds of all checks together.
pub(super) struct Bounds {
    from: NumericDate,
    until: NumericDate,
}

impl Bounds {
    /// The bounds of a token without times.
    pub(super) const NONE: Self = Self { from: NumericDate::BEFORE_ALL, until: NumericDate::AFTER_ALL };

    pub(super) fn and(self, bound: Option<Bound>) -> Self {
        match bound {
            Some(Bound::From(first)) if first > self.from => Self { from: first, ..self },
            Some(Bound::Until(end)) if end < self.until => Self { until: end, ..self },
            _ => self,
        }
    }
}

/// The time in which a token is good, by all checks of its times together.
///
/// It is found once, when the token is verified, so that a cached token is judged by two comparisons, with the clock's own type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    from: Option<SystemTime>,
    until: Option<SystemTime>,
}

impl Window {
    /// Tells whether the token is good now.
    pub(crate) fn contains(&self, now: SystemTime) -> bool {
        self.from.is_none_or(|first| first <= now) && self.until.is_none_or(|end| now < end)
    }

    /// Returns the end of the time, if there is one.
    pub(crate) fn until(&self) -> Option<SystemTime> {
        self.until
    }
}

/// A bound that no clock can reach is none.
impl From<Bounds> for Window {
    fn from(Bounds { from, until }: Bounds) -> Self {
        Self { from: from.to_system_time(), until: until.to_system_time() }
    }
}
