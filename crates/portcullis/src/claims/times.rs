//! The times of a token.

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

/// The times of a token, as its claims state them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Times {
    pub(super) exp: Option<NumericDate>,
    pub(super) nbf: Option<NumericDate>,
    pub(super) iat: Option<NumericDate>,
}

impl Times {
    pub(super) fn get(&self, claim: TimeClaim) -> Option<NumericDate> {
        match claim {
            TimeClaim::Exp => self.exp,
            TimeClaim::Nbf => self.nbf,
            TimeClaim::Iat => self.iat,
        }
    }

    /// The time of expiry, if the token states it and a `SystemTime` can hold it.
    pub(crate) fn expiry(&self) -> Option<SystemTime> {
        self.exp.and_then(NumericDate::to_system_time)
    }

    /// The time of issue, if the token states it and a `SystemTime` can hold it.
    pub(crate) fn issued_at(&self) -> Option<SystemTime> {
        self.iat.and_then(NumericDate::to_system_time)
    }
}
