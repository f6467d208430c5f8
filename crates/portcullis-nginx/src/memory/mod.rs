//! The memory that the workers have in common, beside that for metrics: key sets, the proofs of DPoP that any of them has seen, and the
//! secret that their nonces come from.
//!
//! It is a zone of nginx's, which lives through reloads and crashes. No part has a lock, since a worker may be killed at any instruction.

mod key_sets;
mod proofs;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use aws_lc_rs::rand;
use portcullis_gateway::door::CommonMemory;

use self::{key_sets::KeySets, proofs::Proofs};
use crate::nginx;

/// The words of the secret.
const SECRET: usize = 4;

/// The number of words in all.
pub(crate) const WORDS: usize = SECRET + key_sets::WORDS + proofs::WORDS;

/// The memory of the workers. It is never printed: it has a secret.
#[derive(Clone, Copy)]
struct Memory {
    secret: &'static [AtomicU64],
    key_sets: KeySets,
    proofs: Proofs,
}

/// Returns the memory of this process's workers; none if there is none.
pub(crate) fn of_workers() -> Option<Arc<dyn CommonMemory>> {
    Memory::of(nginx::common()?).map(|memory| Arc::new(memory) as Arc<dyn CommonMemory>)
}

/// Makes the secret in new memory; returns false if the system gives no random bytes.
pub(crate) fn begin(words: &[AtomicU64]) -> bool {
    let mut bytes = [0; SECRET * 8];
    if rand::fill(&mut bytes).is_err() {
        return false;
    }
    for (word, bytes) in words.iter().zip(bytes.chunks_exact(8)) {
        word.store(bytes.try_into().map(u64::from_le_bytes).unwrap_or_default(), Ordering::Relaxed);
    }
    true
}

impl Memory {
    fn of(words: &'static [AtomicU64]) -> Option<Self> {
        let (secret, rest) = words.split_at_checked(SECRET)?;
        let (key_sets, rest) = rest.split_at_checked(key_sets::WORDS)?;
        Some(Self { secret, key_sets: KeySets::new(key_sets), proofs: Proofs::new(rest.get(..proofs::WORDS)?) })
    }
}

impl CommonMemory for Memory {
    fn key_set(&self, issuer: &str) -> Option<(Vec<u8>, SystemTime)> {
        self.key_sets.read(issuer)
    }

    fn keep_key_set(&self, issuer: &str, set: &[u8], fetched_at: SystemTime) -> Result<(), String> {
        self.key_sets.write(issuer, set, fetched_at)
    }

    fn keep_new_proof(&self, id: &str, ttl: Duration) -> Option<bool> {
        self.proofs.keep_new(id, ttl, SystemTime::now())
    }

    fn nonce_secret(&self) -> String {
        self.secret.iter().map(|word| format!("{:016x}", word.load(Ordering::Relaxed))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_new_memory_has_a_secret_of_its_own_that_all_share() {
        let [one, other] = [(); 2].map(|()| &*(0..WORDS).map(|_| AtomicU64::new(0)).collect::<Vec<_>>().leak());
        assert!(begin(one) && begin(other));
        let secret = |words| Memory::of(words).map(|memory| memory.nonce_secret()).unwrap_or_default();
        assert_eq!(secret(one).len(), 64);
        assert_eq!(secret(one), secret(one));
        assert_ne!(secret(one), secret(other));
    }
}
