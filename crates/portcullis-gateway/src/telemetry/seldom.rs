//! A limit on the rate of a log line that many requests could cause.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The shortest time between two such lines.
const PAUSE: Duration = Duration::from_secs(10);

/// The time of the last line.
#[derive(Debug, Default)]
pub(crate) struct Seldom(Mutex<Option<Instant>>);

impl Seldom {
    /// Makes one without a last line.
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Returns true if the line is due.
    pub(crate) fn is_due(&self) -> bool {
        let now = Instant::now();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| now.duration_since(last) >= PAUSE);
        if due {
            *last = Some(now);
        }
        due
    }
}
