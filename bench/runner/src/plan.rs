//! How often, how long and how much.

use serde::{Deserialize, Serialize};

use crate::http::Framework;

/// The most requests per second that a server with verification can be expected to answer.
const MOST_PER_SECOND: usize = 45_000;
/// The same on Express.
const MOST_ON_EXPRESS: usize = 15_000;

/// How often, how long and how much.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Whether this is only to see that everything runs.
    pub(crate) quick: bool,
    /// How many windows each server gets for each load; the servers take turns.
    pub(crate) rounds: usize,
    /// How long a window is, in seconds; wrk knows whole ones only.
    pub(crate) seconds: usize,
    /// How long a server is warmed up, in seconds.
    pub(crate) warm_up: usize,
    /// How many connections wrk keeps.
    pub(crate) connections: usize,
    /// How many tokens rotate.
    pub(crate) rotating: usize,
    /// How many tokens there are where every one is new.
    pub(crate) new: usize,
    /// The same on Express.
    pub(crate) new_on_express: usize,
    /// How many windows each library gets for a whole verification.
    pub(crate) whole: usize,
    /// How often each server meets each storm.
    pub(crate) storms: usize,
    /// How many windows each server gets where the gateway is compared.
    pub(crate) gateway: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self::full()
    }
}

impl Plan {
    /// The run that the report is made of.
    pub(crate) fn full() -> Self {
        let seconds = 2;
        Self {
            quick: false,
            rounds: 7,
            seconds,
            warm_up: 1,
            connections: 32,
            rotating: 5000,
            new: seconds * MOST_PER_SECOND,
            new_on_express: seconds * MOST_ON_EXPRESS,
            whole: 11,
            storms: 9,
            gateway: 5,
        }
    }

    /// One round of everything, as short as can be.
    pub(crate) fn quick() -> Self {
        Self {
            quick: true,
            rounds: 1,
            seconds: 1,
            new: MOST_PER_SECOND,
            new_on_express: MOST_ON_EXPRESS,
            whole: 1,
            storms: 1,
            gateway: 1,
            ..Self::full()
        }
    }

    /// The same for a comparison of two builds: as many rounds of everything, so that the noise of all rows is as well known.
    pub(crate) fn of_comparison(self) -> Self {
        Self { whole: self.rounds, gateway: self.rounds, ..self }
    }

    /// How long a window with new tokens may be, so that `tokens` last.
    pub(crate) fn seconds_for(&self, framework: Framework, tokens: usize) -> usize {
        let most = match framework {
            Framework::Axum => MOST_PER_SECOND,
            Framework::Express => MOST_ON_EXPRESS,
        };
        (tokens / most).clamp(1, self.seconds)
    }
}
