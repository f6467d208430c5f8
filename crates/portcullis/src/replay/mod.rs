//! Proofs that were seen before: [`Replays`] (RFC 9449 section 11.1).
//!
//! - A proof is known by the SHA-256 of the client's key, the method, the URL and its `jti`. It is looked up after its
//!   signature was verified, so that only clients with a good token and its key take up memory.
//! - The memory of the process is asked first (`memory`). It is bounded by bytes, and forgets in the order in which
//!   proofs were made: a proof of a forgotten time is refused, since it may have been seen.
//! - Then the store that processes share, if there is one ([`store`]). A request waits for it for 250 ms at most; a
//!   store that failed is left out for a second, then one request tries it.
//! - A proof that was sent to the store is remembered here, whatever the store answers: sent again, it is a replay.
//! - The memory is empty after a start. Where that matters, share a store, or use nonces: those of an earlier
//!   process with a random secret are not accepted.

mod memory;
mod store;
#[cfg(test)]
mod tests;

pub use store::{ReplayStore, ReplayStoreAway};

pub(crate) use store::AnyReplayStore;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use memory::{Memory, Seen};
use store::Shared;

use crate::{crypto::Digest, proof::ProofTime, shared_store::Warnings, telemetry, transport::BoxFuture};

/// The default limit of the memory, in bytes: about 450,000 proofs.
pub(crate) const MEMORY_BYTES: usize = 16 << 20;

/// The proofs that were seen before, here and by processes that share a store.
pub(crate) struct Replays {
    memory: Arc<Mutex<Memory>>,
    shared: Option<Arc<Shared>>,
    warnings: Warnings,
}

/// A verified proof that arrives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sighting<'a> {
    /// The SHA-256 of all that makes the proof one of its kind.
    pub(crate) id: &'a Digest,
    pub(crate) time: ProofTime,
}

/// The state of a proof that was looked up as far as possible without waiting.
#[must_use = "a proof is accepted only by the result"]
pub(crate) enum Lookup {
    /// The result.
    Done(Result<(), ReplayFault>),
    /// The shared store has to be asked. Dropped, the proof counts as seen.
    Asks(BoxFuture<'static, Result<(), ReplayFault>>),
}

/// The reason why a proof is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplayFault {
    /// It was seen before.
    Replayed,
    /// It was made in a time that is forgotten, since too many proofs arrived: it is too old.
    Forgotten,
    /// The shared store is away, and [`ReplayStoreAway::Refuse`] holds.
    StoreAway {
        /// The time to wait before the next try.
        retry_after: Duration,
    },
}

impl Replays {
    /// Makes a memory of this many bytes, which no other process shares.
    pub(crate) fn new(memory_bytes: usize) -> Self {
        let memory = Arc::new(Mutex::new(Memory::new(memory_bytes)));
        Self { memory, shared: None, warnings: Warnings::default() }
    }

    /// Returns the same memory beside a store that processes share.
    pub(crate) fn sharing(&self, store: Arc<dyn AnyReplayStore>, away: ReplayStoreAway) -> Self {
        let shared = Some(Arc::new(Shared::new(store, away)));
        Self { memory: Arc::clone(&self.memory), shared, warnings: Warnings::default() }
    }

    /// Returns a new memory of this many bytes, beside the same store.
    pub(crate) fn of_bytes(&self, memory_bytes: usize) -> Self {
        Self { shared: self.shared.clone(), ..Self::new(memory_bytes) }
    }

    /// Looks a proof up, and remembers it: of any number of calls with the same proof, one finds it new.
    pub(crate) fn check(&self, proof: &Sighting<'_>, now: SystemTime) -> Lookup {
        let (seen, shortened) = self.memory().see(proof, now);
        if shortened && self.warnings.is_due(now) {
            telemetry::replay_memory_full();
        }
        match seen {
            Seen::Never => self.check_elsewhere(proof, now),
            Seen::Before => {
                telemetry::proof_is("replayed");
                Lookup::Done(Err(ReplayFault::Replayed))
            }
            Seen::Forgotten => {
                telemetry::proof_is("forgotten");
                Lookup::Done(Err(ReplayFault::Forgotten))
            }
        }
    }

    /// Looks a proof up in the memory of this process and does not remember it: for an explanation, which must not use it up.
    pub(crate) fn look(&self, proof: &Sighting<'_>) -> Result<(), ReplayFault> {
        match self.memory().look(proof) {
            Seen::Never => Ok(()),
            Seen::Before => Err(ReplayFault::Replayed),
            Seen::Forgotten => Err(ReplayFault::Forgotten),
        }
    }

    /// Returns true if processes share a store, too.
    pub(crate) fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// Returns the number of remembered proofs, and their estimated size in bytes.
    pub(crate) fn size(&self) -> (usize, usize) {
        self.memory().size()
    }

    /// Looks a proof up that is new here.
    fn check_elsewhere(&self, proof: &Sighting<'_>, now: SystemTime) -> Lookup {
        let Some(shared) = &self.shared else {
            telemetry::proof_is_first();
            return Lookup::Done(Ok(()));
        };
        if let Err(pause) = shared.admit() {
            return Lookup::Done(shared.judge_without(pause));
        }
        let (shared, (id, ttl)) = (Arc::clone(shared), store::entry(proof, now));
        Lookup::Asks(Box::pin(async move { shared.ask(id, ttl, now).await }))
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Replays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replays").field("shared", &self.shared.is_some()).finish_non_exhaustive()
    }
}
