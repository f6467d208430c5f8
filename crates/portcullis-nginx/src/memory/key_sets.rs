//! Key sets in shared memory: a new worker, after a reload or a crash, finds the keys that others have fetched, even while the
//! authorization server is away.
//!
//! The memory is divided into slots, one for each issuer. A slot has no lock: a digest covers issuer, time and key set, and a reader
//! that comes upon a half-written slot finds nothing. Nobody but nginx's own processes can write to the memory.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use aws_lc_rs::digest::{SHA256, digest};

/// The number of slots.
const SLOTS: usize = 64;
/// The words of a slot: 64 KiB.
const SLOT: usize = 1 << 13;
/// The words of a name or a digest.
const DIGEST: usize = 4;
/// The words before the key set: its issuer, its digest, its length, and the time of its fetch.
const HEAD: usize = 2 * DIGEST + 2;

/// The number of words of all slots.
pub(super) const WORDS: usize = SLOTS * SLOT;

#[derive(Debug, Clone, Copy)]
pub(super) struct KeySets {
    words: &'static [AtomicU64],
}

type Slot = &'static [AtomicU64];

impl KeySets {
    pub(super) fn new(words: &'static [AtomicU64]) -> Self {
        Self { words }
    }

    /// Returns the slot of an issuer.
    fn slot(&self, issuer: [u64; DIGEST]) -> Option<Slot> {
        self.words.chunks_exact(SLOT).find(|slot| words_at(slot, 0) == Some(issuer))
    }

    /// Returns the slot of an issuer, or the one to give it: a free one, or that of the oldest key set.
    fn slot_for(&self, issuer: [u64; DIGEST]) -> Option<Slot> {
        let fetched_at = |slot: &Slot| load(slot, 2 * DIGEST + 1);
        self.slot(issuer).or_else(|| self.words.chunks_exact(SLOT).min_by_key(fetched_at))
    }

    /// Returns the key set of an issuer that was kept last, and the time of its fetch.
    pub(super) fn read(&self, issuer: &str) -> Option<(Vec<u8>, SystemTime)> {
        let slot = self.slot(name(issuer))?;
        let (length, seconds) = (load(slot, 2 * DIGEST)?, load(slot, 2 * DIGEST + 1)?);
        let length = usize::try_from(length).ok().filter(|length| *length <= (SLOT - HEAD) * 8 && *length > 0)?;
        let words = slot.get(HEAD..HEAD + length.div_ceil(8))?;
        let mut set: Vec<u8> = words.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect();
        set.truncate(length);
        let is_whole = words_at(&slot, DIGEST) == Some(sum(issuer, seconds, &set));
        let fetched_at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
        is_whole.then_some((set, fetched_at))
    }

    /// Keeps a key set, in place of the oldest if there is no room.
    ///
    /// # Errors
    ///
    /// The set is too large for a slot.
    pub(super) fn write(&self, issuer: &str, set: &[u8], fetched_at: SystemTime) -> Result<(), String> {
        let (size, most) = (set.len(), (SLOT - HEAD) * 8);
        if size > most {
            return Err(format!(
                "expected a key set of {most} bytes at most for the memory of the workers, got {size}"
            ));
        }
        let Some(slot) = self.slot_for(name(issuer)) else { return Ok(()) };
        let seconds = fetched_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let length = u64::try_from(set.len()).unwrap_or_default();
        let content = set.chunks(8).map(|bytes| {
            let mut word = [0; 8];
            word.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            u64::from_le_bytes(word)
        });
        let head = name(issuer).into_iter().chain(sum(issuer, seconds, set)).chain([length, seconds]);
        slot.iter().zip(head.chain(content)).for_each(|(word, value)| word.store(value, Ordering::Relaxed));
        Ok(())
    }
}

fn load(slot: Slot, index: usize) -> Option<u64> {
    slot.get(index).map(|word| word.load(Ordering::Relaxed))
}

fn words_at(slot: &Slot, index: usize) -> Option<[u64; DIGEST]> {
    let words: Vec<_> = slot.get(index..index + DIGEST)?.iter().map(|word| word.load(Ordering::Relaxed)).collect();
    words.try_into().ok()
}

fn name(issuer: &str) -> [u64; DIGEST] {
    hash(&[issuer.as_bytes()])
}

fn sum(issuer: &str, seconds: u64, set: &[u8]) -> [u64; DIGEST] {
    hash(&[&name(issuer).map(u64::to_le_bytes).concat(), &seconds.to_le_bytes(), set])
}

fn hash(parts: &[&[u8]]) -> [u64; DIGEST] {
    let digest = digest(&SHA256, &parts.concat());
    let mut words = [0; DIGEST];
    for (word, bytes) in words.iter_mut().zip(digest.as_ref().chunks_exact(8)) {
        *word = bytes.try_into().map(u64::from_le_bytes).unwrap_or_default();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared() -> KeySets {
        KeySets { words: (0..WORDS).map(|_| AtomicU64::new(0)).collect::<Vec<_>>().leak() }
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn the_last_key_set_of_each_issuer_is_found_again() {
        let keys = shared();
        assert_eq!(keys.read("a"), None);
        for (issuer, set, seconds) in
            [("a", "one", 1), ("b", "{\"keys\":[]}", 2), ("a", "longer than eight", 3), ("a", "x", 4)]
        {
            assert_eq!(keys.write(issuer, set.as_bytes(), at(seconds)), Ok(()));
            assert_eq!(keys.read(issuer), Some((set.into(), at(seconds))));
        }
        assert_eq!(keys.read("b"), Some(("{\"keys\":[]}".into(), at(2))));
    }

    #[test]
    fn a_set_that_does_not_fit_is_not_kept_and_the_oldest_makes_room() {
        let keys = shared();
        let largest = vec![b'k'; (SLOT - HEAD) * 8];
        assert_eq!(keys.write("a", &largest, at(1)), Ok(()));
        assert!(keys.write("a", &[largest.as_slice(), b"k"].concat(), at(2)).is_err());
        assert_eq!(keys.read("a"), Some((largest, at(1))));
        for (issuer, seconds) in (0..SLOTS).zip(2..) {
            assert_eq!(keys.write(&issuer.to_string(), b"set", at(seconds)), Ok(()));
        }
        assert_eq!(keys.read("a"), None, "the oldest makes room");
        assert!((0..SLOTS).all(|issuer| keys.read(&issuer.to_string()).is_some()));
    }

    #[test]
    fn a_half_written_slot_has_no_keys() {
        for index in 0..HEAD + 3 {
            let keys = shared();
            assert_eq!(keys.write("a", b"the keys, in three words", at(1)), Ok(()));
            assert!(keys.read("a").is_some());
            keys.words.get(index).map(|word| word.fetch_xor(1 << 40, Ordering::Relaxed));
            assert_eq!(keys.read("a"), None, "word {index}");
        }
    }
}
