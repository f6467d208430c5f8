//! The purpose of an endpoint, which chooses the refusal and the name of each event.

use std::time::Duration;

use super::breaker;
use crate::{
    refusal::{Refusal, UnavailableFault},
    telemetry,
};

/// The purpose of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Introspection of opaque tokens (RFC 7662).
    Introspection,
    /// Exchange of tokens (RFC 8693).
    Exchange,
}

impl Purpose {
    /// The refusal of a request whose token the server cannot be asked about.
    pub(crate) fn unavailable(self, retry_after: Duration) -> Refusal {
        Refusal::Unavailable(match self {
            Self::Introspection => UnavailableFault::Introspection { retry_after },
            Self::Exchange => UnavailableFault::Exchange { retry_after },
        })
    }

    /// The refusal of a request for whose token the answer is not credible.
    pub(super) fn unusable(self) -> Refusal {
        match self {
            Self::Introspection => self.unavailable(breaker::SOON),
            Self::Exchange => Refusal::Unavailable(UnavailableFault::ExchangeAnswer { retry_after: breaker::SOON }),
        }
    }

    /// Counts a question by its outcome.
    pub(super) fn count(self, outcome: &'static str) {
        match self {
            Self::Introspection => telemetry::introspected(outcome),
            Self::Exchange => telemetry::exchanged(outcome),
        }
    }

    /// Counts and logs a question without a credible answer.
    pub(super) fn failed(self, endpoint: &str, outcome: &'static str, why: &str) {
        match self {
            Self::Introspection => telemetry::introspection_failed(endpoint, outcome, why),
            Self::Exchange => telemetry::exchange_failed(endpoint, outcome, why),
        }
    }
}
