//! The number and length of measurements.

use harness::{Result, Server};
use serde::{Deserialize, Serialize};

use crate::http::Framework;

/// The most requests per second that a server with verification can be expected to answer.
const MOST_PER_SECOND: usize = 45_000;
/// The most with a signature each.
const MOST_PROOFS_PER_SECOND: usize = 20_000;
/// The same on Express.
const MOST_ON_EXPRESS: usize = 15_000;

/// The number and length of measurements, and the number of tokens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// True for a trial run.
    pub(crate) quick: bool,
    /// The number of times that everything is measured, with servers and programs started anew.
    #[serde(default = "once")]
    pub(crate) passes: usize,
    /// The number of windows of each server for each load; the servers take turns.
    pub(crate) rounds: usize,
    /// The length of a window in whole seconds, as wrk requires.
    pub(crate) seconds: usize,
    /// The time to warm up a server, in seconds.
    pub(crate) warm_up: usize,
    /// The number of wrk's connections.
    pub(crate) connections: usize,
    /// The number of rotating tokens.
    pub(crate) rotating: usize,
    /// The number of tokens for loads with new tokens.
    pub(crate) new: usize,
    /// The same on Express.
    pub(crate) new_on_express: usize,
    /// The number of windows of each library for a whole verification.
    pub(crate) whole: usize,
    /// The number of runs of each storm with each server.
    pub(crate) storms: usize,
    /// The number of windows of each server in the gateway's tables.
    pub(crate) gateway: usize,
    /// True if a server's memory is the part that it has written itself: for two builds of one program.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) own_memory: bool,
    /// A text in the names of the only tables to measure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) only: Option<String>,
}

/// The number of passes of results from before there was such a number.
fn once() -> usize {
    1
}

impl Default for Plan {
    fn default() -> Self {
        Self::full()
    }
}

impl Plan {
    /// The plan for the reports.
    pub(crate) fn full() -> Self {
        let seconds = 2;
        Self {
            quick: false,
            passes: 1,
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
            own_memory: false,
            only: None,
        }
    }

    /// The plan with one round of everything, as short as possible.
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

    /// The same plan for a comparison of two builds: equally many rounds of everything, so that the noise of each row is known; two
    /// passes, since of two hundred rows one or two lie on one side in seven rounds by chance, and a process may be slower than
    /// another for all its life; and without the pages of the program's file, whose number depends on how the kernel has cached
    /// that file.
    pub(crate) fn of_comparison(self) -> Self {
        let passes = if self.quick { 1 } else { 2 };
        Self { passes, whole: self.rounds, gateway: self.rounds, own_memory: true, ..self }
    }

    /// The name of the column with a server's memory.
    pub(crate) fn memory_column(&self) -> &'static str {
        if self.own_memory { "own memory" } else { "memory" }
    }

    /// A server's memory in bytes, of the kind in that column.
    pub(crate) fn memory(&self, server: &Server) -> Result<u64> {
        if self.own_memory { server.own_memory() } else { server.memory() }
    }

    /// The number of proofs for this many seconds.
    pub(crate) fn proofs(&self, framework: Framework, seconds: usize) -> usize {
        let most = match framework {
            Framework::Axum => MOST_PROOFS_PER_SECOND,
            Framework::Express => MOST_ON_EXPRESS,
        };
        most * seconds
    }

    /// The greatest length of a window with new tokens for which `tokens` suffice.
    pub(crate) fn seconds_for(&self, framework: Framework, tokens: usize) -> usize {
        let most = match framework {
            Framework::Axum => MOST_PER_SECOND,
            Framework::Express => MOST_ON_EXPRESS,
        };
        (tokens / most).clamp(1, self.seconds)
    }
}
