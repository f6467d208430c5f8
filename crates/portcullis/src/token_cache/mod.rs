//! Tokens that were verified before: [`TokenCache`].
//!
//! - A token is found by a seeded hash of its last 32 bytes, a part of the signature; then all bytes are compared.
//! - Only tokens that passed are kept, so that a flood of bad ones displaces nothing.
//! - The cache keeps verdicts on tokens, not on requests: times and policy are checked again at each request. Each
//!   token is kept with the grounds of its verification, such as the key set, and the caller judges whether they still
//!   hold. A set that was fetched again and is the same, key by key, keeps its identity, so that a refresh voids
//!   no entry.
//! - A cache belongs to one verifier, so that no other configuration can have a part in it. The verifier's issuers
//!   share it, since the issuer is not known before the token is.
//! - It is bounded in bytes and in tokens. Weights are estimates to the safe side: `cargo xtask guards` shows with a
//!   million tokens that the heap stays below the bound.
//! - When the cache is full, a verified token leaves a mark, enters when it is verified again, and displaces one that
//!   was not used since. So tokens that are used once displace none. Replacing an entry for each token took 2 µs, most of
//!   it waiting for memory that had not been touched for long.
//! - An insertion while another thread inserts is left out: no request waits for the cache, and the token is inserted the
//!   next time.
//! - A lookup takes no lock, no allocation and no write that another core sees. Each thread takes a handle with a
//!   reference count of its own: with a lock or one count for all (quick_cache, an `Arc` in a map), two cores together
//!   answered half as many requests for the same token as one alone.
//!
//! The map itself is papaya's; [`queue`] decides which tokens enter and which leave.

mod entry;
mod limits;
mod queue;

pub(crate) use limits::Limits;

use std::{
    hash::{BuildHasher, BuildHasherDefault, Hasher},
    sync::{Mutex, PoisonError},
};

use foldhash::quality::RandomState;
use papaya::HashMap;

use crate::claims::VerifiedToken;
use entry::Entry;
use queue::Queue;

/// The number of hashed bytes at the end of a token: 192 bits of the signature, which clients cannot choose.
const HASHED_BYTES: usize = 32;

/// Verified tokens, each with the grounds `G` of its verdict.
pub(crate) struct TokenCache<G> {
    seed: RandomState,
    entries: HashMap<u64, Entry<G>, BuildHasherDefault<Hashed>>,
    queue: Mutex<Queue>,
    limits: Limits,
}

impl<G> TokenCache<G> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { seed: RandomState::default(), entries: HashMap::default(), queue: Mutex::default(), limits }
    }

    /// The verified token with these bytes, if its grounds still hold.
    pub(crate) fn get(&self, token: &[u8], hold: impl FnOnce(&G, &VerifiedToken) -> bool) -> Option<VerifiedToken> {
        let entries = self.entries.pin();
        let entry = entries.get(&self.key(token)).filter(|entry| entry.is_for(token))?;
        let verified = entry.verified();
        hold(&entry.grounds, &verified).then(|| {
            entry.take();
            verified
        })
    }

    /// Keeps a token that was verified on these grounds, in place of an older one with the same bytes.
    ///
    /// It is left out if another thread inserts at the same time, so that no request waits.
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

    /// Forgets this token: it is verified again at the next request.
    pub(crate) fn forget(&self, token: &[u8]) {
        let entries = self.entries.pin();
        if let Some(entry) = entries.get(&self.key(token)) {
            entry.forget(token);
        }
    }

    /// The number of tokens, and their estimated size in bytes.
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

/// A hasher for keys that are hashes already.
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
