//! A count of the events after which a verdict on a token may be another: [`epoch`].

use std::sync::{
    Arc, Mutex, PoisonError, Weak,
    atomic::{AtomicU32, Ordering},
};

/// The counts in use.
static COUNTS: Mutex<Vec<Weak<AtomicU32>>> = Mutex::new(Vec::new());

/// Returns a new count of the events in this process, other than the passing of time, after which a verdict on a token may be another:
/// other keys came into use, or a token was removed from a cache. The count goes on for as long as it is held.
///
/// It is for doors that keep verdicts themselves. Such a door reads the count before a request is judged, and lets the kept verdict
/// stand only as long as the count is the same and [`Secure::holds_until`](crate::Secure::holds_until) is not reached. The count is
/// one word, so that a door in another language can read it without a call.
///
/// # Example
///
/// ```
/// use std::sync::atomic::Ordering;
///
/// use portcullis::{JwksService, Verifier, epoch};
///
/// let verifier: Verifier = JwksService::new("https://as.example.com/jwks")?.into();
/// let epoch = epoch();
/// let before = epoch.load(Ordering::Acquire);
/// verifier.invalidate("a token");
/// assert_ne!(epoch.load(Ordering::Acquire), before);
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[must_use]
pub fn epoch() -> Arc<AtomicU32> {
    let count = Arc::new(AtomicU32::new(0));
    let mut counts = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    counts.retain(|known| known.strong_count() > 0);
    counts.push(Arc::downgrade(&count));
    count
}

/// Begins another epoch. Called after the event, so that no verdict of the new epoch is of the time before it.
pub(crate) fn begin() {
    let counts = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    for count in counts.iter().filter_map(Weak::upgrade) {
        count.fetch_add(1, Ordering::Release);
    }
}
