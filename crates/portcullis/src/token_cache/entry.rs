//! One token that is kept.

use std::{
    sync::{
        Arc, LazyLock, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use crate::claims::VerifiedToken;

/// How many handles an entry has room for: one for each core, 8 at most.
static HANDLES: LazyLock<usize> =
    LazyLock::new(|| thread::available_parallelism().map_or(1, |cores| cores.get().clamp(1, 8)));

thread_local! {
    /// Which of an entry's handles this thread takes.
    static PLACE: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    };
}

/// What the allocator, the map and the queue need for an entry, about.
const OVERHEAD: usize = 192;

pub(super) struct Entry<G> {
    /// The same bytes that the verified token keeps.
    token: Arc<[u8]>,
    pub(super) grounds: G,
    verified: VerifiedToken,
    /// The same token, for each thread by a handle of its own, as far as there is room.
    handles: Box<[OnceLock<VerifiedToken>]>,
    /// About how many bytes it takes.
    pub(super) weight: usize,
    taken: AtomicBool,
    forgotten: AtomicBool,
}

impl<G> Entry<G> {
    pub(super) fn new(token: &[u8], verified: VerifiedToken, grounds: G, weight: usize) -> Self {
        let handles = (0..*HANDLES).map(|_| OnceLock::new()).collect();
        let (taken, forgotten) = (AtomicBool::new(false), AtomicBool::new(false));
        // One copy for both, where the verified token is kept for these bytes.
        let kept = verified.keep_shown_as(|| token.into());
        let token = if **kept == *token { Arc::clone(kept) } else { token.into() };
        Self { token, grounds, verified, handles, weight, taken, forgotten }
    }

    /// About how many bytes an entry takes.
    pub(super) fn weight(token: &[u8], verified: &VerifiedToken) -> usize {
        OVERHEAD + size_of::<Self>() + token.len() + *HANDLES * VerifiedToken::HANDLE_BYTES + verified.heap_bytes()
    }

    /// Whether it is to the byte this token, and was not forgotten.
    pub(super) fn is_for(&self, token: &[u8]) -> bool {
        are_equal(&self.token, token) && !self.forgotten.load(Ordering::Acquire)
    }

    /// The verified token, as this thread takes it.
    pub(super) fn handle(&self) -> &VerifiedToken {
        let own = self.handles.get(PLACE.with(|place| place % *HANDLES));
        own.map_or(&self.verified, |own| own.get_or_init(|| self.verified.apart()))
    }

    /// Marks that a request came for it.
    pub(super) fn take(&self) {
        // Written once only: the line stays with all cores that read it.
        if !self.taken.load(Ordering::Relaxed) {
            self.taken.store(true, Ordering::Relaxed);
        }
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
}

/// Whether two tokens are the same, in a time that does not tell how far they are.
fn are_equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
}
