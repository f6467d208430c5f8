//! What was decided of late, for the console: counts by code, and the last refusals. No token is in it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use serde::Serialize;

use super::{Decision, Door, Gateway, Original, line::Mark};

/// How many refusals are kept.
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
    /// Whether it passed all the same, on a route that only reports.
    passed: bool,
    #[serde(flatten)]
    mark: Mark,
}

/// Counts by code and the last refusals, at one time.
#[derive(Serialize)]
pub(crate) struct Snapshot {
    counts: BTreeMap<&'static str, u64>,
    refusals: Vec<LastRefusal>,
}

impl Recent {
    pub(super) fn note(&self, door: Door, gateway: &Gateway, original: &Original<'_>, decision: &Decision) {
        let (code, reason, passed) = match &decision.outcome {
            Err(refused) => (refused.code, refused.reason.clone(), false),
            Ok(pass) => match &pass.would_refuse {
                Some(reported) => (reported.code, reported.reason.clone(), true),
                None => {
                    self.passed.fetch_add(1, Ordering::Relaxed);
                    return;
                }
            },
        };
        let refusal = LastRefusal {
            at: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
            door: door.name(),
            route: gateway.name_of(decision.route).map(str::to_owned),
            code,
            reason,
            passed,
            mark: Mark::of(original),
        };
        let mut refused = self.refused();
        *refused.counts.entry(code).or_default() += 1;
        refused.last.truncate(KEPT - 1);
        refused.last.push_front(refusal);
    }

    /// What there is now.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let refused = self.refused();
        let mut counts = refused.counts.clone();
        counts.insert("pass", self.passed.load(Ordering::Relaxed));
        Snapshot { counts, refusals: refused.last.iter().cloned().collect() }
    }

    fn refused(&self) -> MutexGuard<'_, Refusals> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
