//! A cached token.

use std::{
    sync::{
        Arc, LazyLock, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use crate::claims::{OwnHandle, VerifiedToken};

/// The number of handles of an entry: one for each core, at most 8.
static HANDLES: LazyLock<usize> =
    LazyLock::new(|| thread::available_parallelism().map_or(1, |cores| cores.get().clamp(1, 8)));

thread_local! {
    /// The number of this thread, which selects its handle of an entry.
    static PLACE: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    };
}

/// The estimated bytes of the allocator, the map and the queue for an entry.
const OVERHEAD: usize = 192;

pub(super) struct Entry<G> {
    /// The token's bytes, shared with the verified token.
    token: Arc<[u8]>,
    pub(super) grounds: G,
    verified: VerifiedToken,
    /// Handles of the same token, one for each thread as far as possible.
    handles: Box<[OnceLock<OwnHandle>]>,
    /// The estimated size, in bytes.
    pub(super) weight: usize,
    taken: AtomicBool,
    forgotten: AtomicBool,
}

impl<G> Entry<G> {
    pub(super) fn new(token: &[u8], verified: VerifiedToken, grounds: G, weight: usize) -> Self {
        let handles = (0..*HANDLES).map(|_| OnceLock::new()).collect();
        let (taken, forgotten) = (AtomicBool::new(false), AtomicBool::new(false));
        // One copy for both, if the verified token was made from these bytes.
        let kept = verified.keep_shown_as(|| token.into());
        let token = if **kept == *token { Arc::clone(kept) } else { token.into() };
        Self { token, grounds, verified, handles, weight, taken, forgotten }
    }

    /// The estimated size of an entry, in bytes.
    pub(super) fn weight(token: &[u8], verified: &VerifiedToken) -> usize {
        OVERHEAD + size_of::<Self>() + token.len() + *HANDLES * OwnHandle::BYTES + verified.heap_bytes()
    }

    /// Tells whether the entry is for exactly these bytes, and was not forgotten.
    pub(super) fn is_for(&self, token: &[u8]) -> bool {
        are_equal(&self.token, token) && !self.forgotten.load(Ordering::Acquire)
    }

    /// The verified token, by this thread's handle.
    pub(super) fn verified(&self) -> VerifiedToken {
        match self.handles.get(PLACE.with(|place| place % *HANDLES)) {
            Some(own) => own.get_or_init(|| self.verified.own_handle()).token(),
            None => self.verified.clone(),
        }
    }

    /// Marks the entry as used.
    pub(super) fn take(&self) {
        // Written once only, so that the cache line stays shared between cores.
        if !self.taken.load(Ordering::Relaxed) {
            self.taken.store(true, Ordering::Relaxed);
        }
    }

    /// Tells whether the entry was used since the last call.
    pub(super) fn was_taken(&self) -> bool {
        self.taken.swap(false, Ordering::Relaxed)
    }

    pub(super) fn forget(&self, token: &[u8]) {
        if are_equal(&self.token, token) {
            self.forgotten.store(true, Ordering::Release);
        }
    }
}

/// Tells whether two tokens are equal, in constant time for tokens of the same length.
fn are_equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
}
