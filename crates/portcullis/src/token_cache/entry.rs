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

/// The number of bytes that are compared at once: a token has a thousand, and the compiler makes a few vectors of a block.
const BLOCK: usize = 64;

/// Tells whether two tokens are equal, in constant time for tokens of the same length.
fn are_equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let blocks = a.as_chunks().0.iter().zip(b.as_chunks().0);
    let differences = blocks.fold([0; BLOCK], |differences, (a, b)| add_differences(differences, a, b));
    // The last block overlaps the one before, so that only a token shorter than a block is compared byte by byte.
    match (a.last_chunk(), b.last_chunk()) {
        (Some(a), Some(b)) => add_differences(differences, a, b).iter().fold(0, |any, byte| any | byte) == 0,
        _ => a.iter().zip(b).fold(0, |any, (a, b)| any | (a ^ b)) == 0,
    }
}

fn add_differences(mut differences: [u8; BLOCK], a: &[u8; BLOCK], b: &[u8; BLOCK]) -> [u8; BLOCK] {
    for ((all, a), b) in differences.iter_mut().zip(a).zip(b) {
        *all |= a ^ b;
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_equal_only_in_every_byte() {
        for len in (0..=2 * BLOCK + 2).chain([1_000]) {
            let token: Vec<u8> = (b'a'..=b'z').cycle().take(len).collect();
            assert!(are_equal(&token, &token.clone()), "{len}");
            for at in 0..len {
                for bit in [1, 0x80] {
                    let mut other = token.clone();
                    other[at] ^= bit;
                    assert!(!are_equal(&token, &other), "byte {at} of {len}");
                }
            }
            let longer = [&token[..], b"a"].concat();
            assert!(!are_equal(&token, &longer) && !are_equal(&longer, &token), "{len}");
        }
    }
}
