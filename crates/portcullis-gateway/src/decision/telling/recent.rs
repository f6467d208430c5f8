//! The latest decisions, for the console: counts by code, and the last refusals. No token is in it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use serde::Serialize;

use super::{Mark, Outcome, PASS, Told};

/// The number of refusals that are kept.
const KEPT: usize = 50;

/// Counts by code, and the last refusals.
#[derive(Default)]
pub(crate) struct Recent {
    passed: AtomicU64,
    refused: Mutex<Refusals>,
}

#[derive(Default)]
struct Refusals {
    counts: BTreeMap<&'static str, u64>,
    last: VecDeque<LastRefusal>,
}

/// A refusal, as the console shows it.
#[derive(Clone, Serialize)]
pub(crate) struct LastRefusal {
    /// Seconds since 1970.
    at: f64,
    door: &'static str,
    route: Option<String>,
    code: &'static str,
    reason: String,
    /// True if the request passed all the same, on a route that only reports.
    passed: bool,
    #[serde(flatten)]
    mark: Mark,
}

/// The counts by code and the last refusals at one moment.
#[derive(Serialize)]
pub(crate) struct Snapshot {
    counts: BTreeMap<&'static str, u64>,
    refusals: Vec<LastRefusal>,
}

impl Recent {
    /// Counts a decision, and keeps it if it is a refusal.
    pub(super) fn note(&self, told: &Told<'_>) {
        let (code, reason, passed) = match told.outcome {
            Outcome::Passed(_) => {
                self.passed.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Outcome::Reported(reported) => (reported.code, &reported.reason, true),
            Outcome::Refused(refused) => (refused.code, &refused.reason, false),
        };
        let refusal = LastRefusal {
            at: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
            door: told.door.name(),
            route: told.route.map(str::to_owned),
            code,
            reason: reason.clone(),
            passed,
            mark: told.mark().clone(),
        };
        let mut refused = self.refused();
        *refused.counts.entry(code).or_default() += 1;
        refused.last.truncate(KEPT - 1);
        refused.last.push_front(refusal);
    }

    /// Returns the current counts and refusals.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let refused = self.refused();
        let mut counts = refused.counts.clone();
        counts.insert(PASS, self.passed.load(Ordering::Relaxed));
        Snapshot { counts, refusals: refused.last.iter().cloned().collect() }
    }

    fn refused(&self) -> MutexGuard<'_, Refusals> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
