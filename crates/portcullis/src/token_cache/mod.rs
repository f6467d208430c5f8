//! Tokens that were verified before: [`TokenCache`].
//!
//! 1. Found by a seeded hash, then compared whole: what is not to the byte a token that passed is not found.
//! 2. Only tokens that passed are kept, so that a flood of bad ones displaces nothing.
//! 3. Each stands beside the grounds that it was verified on; whoever asks judges whether they still hold.
//!    Times and policy are not the cache's to judge: they are checked again at each request.
//! 4. Bounded in bytes and in tokens. When it is full, a token comes in at the second time that it is
//!    verified, and displaces one that nobody asked for: a flood of good tokens that come once each displaces
//!    none, and costs next to nothing.
//! 5. A look takes no lock and writes to nothing that another core reads: with a lock, or with one count of
//!    references for all, two cores together answered fewer requests for the same token than one alone.
//!
//! The map itself is papaya's; what is kept and what goes is decided in [`queue`].

mod entry;
mod limits;
mod queue;

pub(crate) use limits::Limits;

use std::{
    hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState},
    sync::{Mutex, PoisonError},
};

use papaya::HashMap;

use crate::claims::VerifiedToken;
use entry::Entry;
use queue::Queue;

/// How many bytes at the end of a token its hash is of: 192 bits of the signature, which nobody chooses.
const HASHED_BYTES: usize = 32;

/// Verified tokens, each with the grounds `G` that it was verified on.
pub(crate) struct TokenCache<G> {
    seed: RandomState,
    entries: HashMap<u64, Entry<G>, BuildHasherDefault<Hashed>>,
    queue: Mutex<Queue>,
    limits: Limits,
}

impl<G> TokenCache<G> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { seed: RandomState::new(), entries: HashMap::default(), queue: Mutex::default(), limits }
    }

    /// The verified token that equals this one, if the grounds that it stands on still hold.
    pub(crate) fn get(&self, token: &[u8], hold: impl FnOnce(&G, &VerifiedToken) -> bool) -> Option<VerifiedToken> {
        let entries = self.entries.pin();
        let entry = entries.get(&self.key(token)).filter(|entry| entry.is_for(token))?;
        let verified = entry.handle();
        hold(&entry.grounds, verified).then(|| {
            entry.take();
            verified.clone()
        })
    }

    /// Keeps a token that was verified on these grounds, in the place of an older one with the same bytes.
    ///
    /// One that finds another thread at it is not kept: it comes again, and nobody waits.
    pub(crate) fn insert(&self, token: &[u8], verified: VerifiedToken, grounds: G) {
        let (key, weight) = (self.key(token), Entry::<G>::weight(token, &verified));
        if weight > self.limits.bytes {
            return;
        }
        let Ok(mut queue) = self.queue.try_lock() else { return };
        let entries = self.entries.pin();
        if !queue.admits(key, weight, self.limits) && !entries.contains_key(&key) {
            return;
        }
        match entries.insert(key, Entry::new(token, verified, grounds, weight)) {
            Some(older) => queue.replace(older.weight, weight),
            None => queue.add(key, weight),
        }
        while let Some(key) = queue.surplus(self.limits) {
            match entries.get(&key) {
                Some(entry) if entry.was_taken() && queue.may_spare() => queue.spare(key),
                Some(entry) => {
                    queue.gone(entry.weight);
                    entries.remove(&key);
                }
                None => {}
            }
        }
    }

    /// Forgets what is known of this token: the next request with it has it verified anew.
    pub(crate) fn forget(&self, token: &[u8]) {
        let entries = self.entries.pin();
        if let Some(entry) = entries.get(&self.key(token)) {
            entry.forget(token);
        }
    }

    /// How many tokens are kept, and about how many bytes they take.
    pub(crate) fn size(&self) -> (usize, usize) {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        (queue.len(), queue.bytes())
    }

    fn key(&self, token: &[u8]) -> u64 {
        let end = token.len().saturating_sub(HASHED_BYTES);
        let mut hasher = self.seed.build_hasher();
        hasher.write(token.get(end..).unwrap_or_default());
        hasher.finish()
    }
}

/// The keys are hashes already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
}

#[cfg(test)]
mod tests;
