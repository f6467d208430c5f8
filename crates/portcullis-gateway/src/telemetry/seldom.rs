//! A remark that could be made for each of many requests, and is made once in a while.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The time in which the same is not said again.
const PAUSE: Duration = Duration::from_secs(10);

/// The time at which something was said last.
#[derive(Debug, Default)]
pub(crate) struct Seldom(Mutex<Option<Instant>>);

impl Seldom {
    /// Never said yet.
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Tells whether it is time to say it (again).
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
