//! A question that was admitted, until its outcome is known.

use std::time::Duration;

use super::{ClientAddress, Endpoint, breaker, lock};
use crate::refusal::Refusal;

/// A question that was admitted. The judge of the answer ends it as a success or a failure; dropped, it is a failure.
pub(crate) struct Attempt {
    endpoint: Endpoint,
    client: Option<ClientAddress>,
    judged: bool,
}

impl Attempt {
    pub(super) fn new(endpoint: Endpoint, client: Option<ClientAddress>) -> Self {
        Self { endpoint, client, judged: false }
    }

    /// Ends with a credible answer, positive or negative.
    pub(crate) fn succeed(mut self, outcome: &'static str) {
        self.judged = true;
        self.endpoint.succeeded();
        self.endpoint.purpose().count(outcome);
    }

    /// Ends with an answer that is not credible. It pauses no other questions: otherwise a client could block the endpoint
    /// with a made-up token.
    pub(crate) fn disbelieve(mut self, why: &str) -> Refusal {
        self.judged = true;
        lock(self.endpoint.door()).leave(self.client);
        self.endpoint.complain("unusable", why);
        self.endpoint.purpose().unusable()
    }

    /// Ends with a failure that counts against the server.
    pub(super) fn fail(mut self, why: &str) -> Refusal {
        self.judged = true;
        self.endpoint.purpose().unavailable(self.failed(why))
    }

    /// Ends with the answer 429, and its `Retry-After`.
    pub(super) fn rest(mut self, told: Option<Duration>, why: &str) -> Refusal {
        self.judged = true;
        let rest = lock(self.endpoint.door()).rest(self.client, told, self.endpoint.now());
        self.endpoint.complain("unusable", why);
        self.endpoint.purpose().unavailable(rest)
    }

    fn failed(&self, why: &str) -> Duration {
        let now = self.endpoint.now();
        let retry_after = lock(self.endpoint.door()).fail(self.client, now, fastrand::f64());
        self.endpoint.complain("failed", why);
        retry_after.max(breaker::SOON)
    }
}

/// An attempt that is dropped before its end is a failure.
impl Drop for Attempt {
    fn drop(&mut self) {
        if !self.judged {
            self.failed("the question was interrupted");
        }
    }
}
