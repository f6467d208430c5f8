//! Keys of clients that proved their possession before: [`ClientKeys`].
//!
//! - All proofs of a client have the same header, to the byte: its key is found by it, without decoding anything.
//! - Only the key of a good proof for a good token is kept, so that a flood of bad proofs displaces none.
//! - A key has one place, by a seeded hash of its header; another one there displaces it. Its memory is bounded: when the limit
//!   is reached, places are emptied in turn.
//! - A lookup takes no lock.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use arc_swap::ArcSwapOption;

use crate::{algorithm::Algorithm, crypto::Digest, keys::VerificationKey};

/// The default limit of memory, in bytes: about 500 clients with keys of P-256.
const DEFAULT_BYTES: usize = 1 << 20;

/// The memory for each place: fewer than a key takes, so that few keys have a place in common.
const BYTES_PER_PLACE: usize = 512;

/// A client's key, parsed, with the header that presents it.
pub(super) struct ClientKey {
    /// The header of the client's proofs, still encoded.
    pub(super) header: Box<[u8]>,
    pub(super) algorithm: Algorithm,
    pub(super) key: VerificationKey,
    pub(super) thumbprint: Digest,
}

/// The parsed keys of clients, in bounded memory.
pub(crate) struct ClientKeys {
    seed: RandomState,
    places: Box<[ArcSwapOption<ClientKey>]>,
    /// The memory of all keys.
    bytes: AtomicUsize,
    limit: usize,
    /// The place to be emptied next, if the limit is exceeded.
    hand: AtomicUsize,
}

impl fmt::Debug for ClientKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientKeys").field("bytes", &self.bytes.load(Relaxed)).finish_non_exhaustive()
    }
}

impl Default for ClientKeys {
    fn default() -> Self {
        Self::new(DEFAULT_BYTES)
    }
}

impl ClientKeys {
    /// Keeps keys in this many bytes.
    pub(crate) fn new(limit: usize) -> Self {
        let places = (0..limit.div_ceil(BYTES_PER_PLACE).max(1)).map(|_| ArcSwapOption::empty()).collect();
        Self { seed: RandomState::new(), places, bytes: AtomicUsize::new(0), limit, hand: AtomicUsize::new(0) }
    }

    /// The key of the client whose proofs have this header, still encoded.
    pub(super) fn find(&self, header: &[u8]) -> Option<Arc<ClientKey>> {
        let key = self.place(header)?.load();
        key.as_ref().filter(|key| *key.header == *header).map(Arc::clone)
    }

    /// Keeps the key of a good proof, unless it is there already.
    pub(super) fn keep(&self, key: Arc<ClientKey>) {
        let Some(place) = self.place(&key.header) else { return };
        let bytes = key.bytes();
        if bytes > self.limit || place.load().as_ref().is_some_and(|known| Arc::ptr_eq(known, &key)) {
            return;
        }
        // Counted before it is there, so that the count is never below the truth.
        self.bytes.fetch_add(bytes, Relaxed);
        self.release(place.swap(Some(key)));
        self.shrink();
    }

    /// Empties places in turn, until the memory is within the limit.
    fn shrink(&self) {
        for _ in 0..self.places.len() {
            if self.bytes.load(Relaxed) <= self.limit {
                return;
            }
            let hand = self.hand.fetch_add(1, Relaxed) % self.places.len();
            self.release(self.places.get(hand).and_then(|place| place.swap(None)));
        }
    }

    fn release(&self, key: Option<Arc<ClientKey>>) {
        if let Some(key) = key {
            self.bytes.fetch_sub(key.bytes(), Relaxed);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "any bits of a hash will do")]
    fn place(&self, header: &[u8]) -> Option<&ArcSwapOption<ClientKey>> {
        self.places.get(self.seed.hash_one(header) as usize % self.places.len())
    }
}

impl ClientKey {
    /// The memory of the key, an estimate to the safe side.
    ///
    /// The library keeps a key several times: as numbers, in their encoding, with tables for the next verification. The header
    /// has the numbers in base64, twice.
    fn bytes(&self) -> usize {
        const FIXED: usize = 1024;
        FIXED + 4 * self.header.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{KeyMaterial, sha256};

    fn key(header: &str) -> Arc<ClientKey> {
        let point = crate::base64url::decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        let algorithms = [Algorithm::EdDSA];
        let material = KeyMaterial::bare(&point, Algorithm::EdDSA.key_type(), &algorithms).unwrap();
        Arc::new(ClientKey {
            header: header.as_bytes().into(),
            algorithm: Algorithm::EdDSA,
            key: VerificationKey::new(None, material),
            thumbprint: sha256(header.as_bytes()),
        })
    }

    #[test]
    fn a_key_is_found_by_all_bytes_of_its_header() {
        let keys = ClientKeys::default();
        assert!(keys.find(b"header").is_none());
        keys.keep(key("header"));
        assert_eq!(keys.find(b"header").unwrap().thumbprint, sha256(b"header"));
        for other in ["", "headeR", "header.", "eader", "heade"] {
            assert!(keys.find(other.as_bytes()).is_none(), "{other}");
        }
    }

    #[test]
    fn a_flood_of_clients_stays_within_the_memory() {
        let keys = ClientKeys::default();
        for number in 0..10_000 {
            let header = format!("{number:0300}");
            keys.keep(key(&header));
            assert!(keys.bytes.load(Relaxed) <= DEFAULT_BYTES);
        }
        let kept: Vec<_> = keys.places.iter().filter_map(|place| place.load_full()).collect();
        assert_eq!(keys.bytes.load(Relaxed), kept.iter().map(|key| key.bytes()).sum::<usize>());
        assert!(kept.len() > 400, "{}", kept.len());
    }

    #[test]
    fn a_key_that_is_longer_than_the_memory_is_left_out() {
        let keys = ClientKeys::new(2048);
        keys.keep(key(&"x".repeat(2048)));
        assert_eq!(keys.bytes.load(Relaxed), 0);
        keys.keep(key("x"));
        assert!(keys.find(b"x").is_some());
    }
}
