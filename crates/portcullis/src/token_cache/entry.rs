//! One token that is kept.

use std::{
    sync::{
        LazyLock, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use crate::claims::VerifiedToken;

/// How many handles an entry has room for: one for each core, 8 at most.
static HANDLES: LazyLock<usize> =
    LazyLock::new(|| thread::available_parallelism().map_or(1, |cores| cores.get().min(8)));

thread_local! {
    /// Which of an entry's handles this thread takes.
    static PLACE: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    };
}

/// What the allocator, the map and the queues need for an entry, about.
const OVERHEAD: usize = 256;

pub(super) struct Entry<G> {
    token: Box<[u8]>,
    grounds: G,
    verified: VerifiedToken,
    /// The same token, for each thread with a count of references of its own, as far as there is room.
    handles: Box<[OnceLock<VerifiedToken>]>,
    taken: AtomicBool,
    forgotten: AtomicBool,
}

impl<G> Entry<G> {
    pub(super) fn new(token: &[u8], verified: VerifiedToken, grounds: G) -> Self {
        let handles = (0..*HANDLES).map(|_| OnceLock::new()).collect();
        let (taken, forgotten) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { token: token.into(), grounds, verified, handles, taken, forgotten }
    }

    /// Whether it is to the byte this token, and was not forgotten.
    pub(super) fn is_for(&self, token: &[u8]) -> bool {
        are_equal(&self.token, token) && !self.forgotten.load(Ordering::Acquire)
    }

    pub(super) fn grounds(&self) -> &G {
        &self.grounds
    }

    pub(super) fn verified(&self) -> &VerifiedToken {
        &self.verified
    }

    /// The verified token, for a request.
    pub(super) fn take(&self) -> VerifiedToken {
        // Written once only: the line stays with all cores that read it.
        if !self.taken.load(Ordering::Relaxed) {
            self.taken.store(true, Ordering::Relaxed);
        }
        let place = PLACE.with(|place| place % self.handles.len().max(1));
        let handle = self.handles.get(place).map(|handle| handle.get_or_init(|| self.verified.apart()));
        handle.unwrap_or(&self.verified).clone()
    }

    /// Whether it was taken since this was last asked.
    pub(super) fn was_taken(&self) -> bool {
        self.taken.swap(false, Ordering::Relaxed)
    }

    pub(super) fn forget(&self, token: &[u8]) {
        if are_equal(&self.token, token) {
            self.forgotten.store(true, Ordering::Release);
        }
    }

    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        OVERHEAD + size_of::<Self>() + self.token.len() + self.handles.len() * 48 + self.verified.heap_bytes()
    }
}

/// Whether two tokens are the same, in a time that does not tell how far they are.
fn are_equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
}
