//! The proofs of DPoP that any worker has seen: a replay at one is a replay at each.
//!
//! A proof is one word: a part of its identifier, and the second in which it is forgotten. Another part chooses a bucket of words, which
//! is searched whole, so that no two processes can take in the same proof: the later of two at the same instant finds the word of the
//! other, and at worst both find one, and both refuse.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

/// The words of a bucket.
const BUCKET: usize = 16;
/// The number of words: 2 MiB hold some 2,000 proofs a second that are good for a minute.
pub(super) const WORDS: usize = 1 << 18;

/// The bits of a word that tell the second.
const SECONDS: u32 = 24;
const SECONDS_MASK: u64 = (1 << SECONDS) - 1;
/// The longest time for which a proof is kept. A word that nobody has written over for 194 days reads as kept for so long once more:
/// it stands for no other proof, as good as ever, and takes up its place.
const LONGEST: u64 = 2 * 24 * 60 * 60;

#[derive(Debug, Clone, Copy)]
pub(super) struct Proofs {
    words: &'static [AtomicU64],
}

impl Proofs {
    pub(super) fn new(words: &'static [AtomicU64]) -> Self {
        Self { words }
    }

    /// Keeps a proof by its identifier, in hex; returns true if it is new, and none if its bucket is full, or it is no identifier.
    pub(super) fn keep_new(&self, id: &str, ttl: Duration, now: SystemTime) -> Option<bool> {
        let part = |from: usize| u64::from_str_radix(id.get(from..from + 16)?, 16).ok();
        let (name, place) = (part(0)? >> SECONDS | 1, part(16)?);
        let buckets = self.words.len() / BUCKET;
        let bucket = usize::try_from(place).unwrap_or_default() % buckets.max(1) * BUCKET;
        let bucket = self.words.get(bucket..bucket + BUCKET)?;
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let until = now + (ttl.as_secs() + 1).min(LONGEST);
        let own = name << SECONDS | (until & SECONDS_MASK);
        loop {
            let is_same = |word: u64| is_kept(word, now) && word >> SECONDS == name;
            let known = || bucket.iter().map(|word| word.load(Ordering::SeqCst)).filter(|word| is_same(*word));
            if known().next().is_some() {
                return Some(false);
            }
            let (free, before) =
                bucket.iter().map(|word| (word, word.load(Ordering::SeqCst))).find(|(_, word)| !is_kept(*word, now))?;
            if free.compare_exchange(before, own, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                return Some(known().count() == 1);
            }
        }
    }
}

/// Returns true if a word holds a proof that is not forgotten.
fn is_kept(word: u64, now: u64) -> bool {
    let left = word.wrapping_sub(now) & SECONDS_MASK;
    word != 0 && (1..=LONGEST).contains(&left)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn proofs(words: usize) -> Proofs {
        Proofs::new((0..words).map(|_| AtomicU64::new(0)).collect::<Vec<_>>().leak())
    }

    fn id(number: u64) -> String {
        let [a, b] = [1, 2].map(|seed: u64| {
            (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17 * u32::try_from(seed).unwrap_or(0))
        });
        format!("{a:016x}{b:016x}{a:016x}{b:016x}")
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_proof_is_new_once_until_it_is_forgotten() {
        // Also where the seconds of a word begin anew.
        for start in [1_000, (1 << SECONDS) - 30, 1_795_000_000] {
            let proofs = proofs(1 << 10);
            for number in 0..200 {
                assert_eq!(proofs.keep_new(&id(number), MINUTE, at(start)), Some(true), "{start} {number}");
            }
            for (later, is_new) in [(0, false), (1, false), (59, false), (60, false), (61, true)] {
                assert_eq!(proofs.keep_new(&id(7), MINUTE, at(start + later)), Some(is_new), "{start} {later}");
            }
        }
    }

    #[test]
    fn a_full_bucket_takes_no_further_proof_until_one_is_forgotten() {
        let proofs = proofs(BUCKET);
        for number in 0..BUCKET as u64 {
            assert_eq!(proofs.keep_new(&id(number), MINUTE, at(1_000)), Some(true));
        }
        assert_eq!(proofs.keep_new(&id(99), MINUTE, at(1_000)), None);
        assert_eq!(proofs.keep_new(&id(3), MINUTE, at(1_000)), Some(false));
        assert_eq!(proofs.keep_new(&id(99), MINUTE, at(1_061)), Some(true));
    }

    #[test]
    fn text_that_is_no_identifier_is_not_kept() {
        for text in [
            "",
            "abc",
            "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
            "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
        ] {
            assert_eq!(proofs(BUCKET).keep_new(text, MINUTE, at(1)), None);
        }
    }

    #[test]
    fn of_many_at_once_at_most_one_is_new() {
        let proofs = proofs(1 << 8);
        for number in 0..2_000 {
            let new = AtomicUsize::new(0);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        if proofs.keep_new(&id(number), Duration::from_secs(1), at(10_000 + number * 3)) == Some(true) {
                            new.fetch_add(1, Ordering::Relaxed);
                        }
                    });
                }
            });
            assert!(new.into_inner() <= 1, "{number}");
        }
    }
}
