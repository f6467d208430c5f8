//! The memory of one process, bounded by bytes.

use std::{
    collections::{BTreeMap, HashSet},
    hash::RandomState,
    time::SystemTime,
};

use super::Sighting;

/// The part of an identifier that is remembered: by chance, two proofs have the same with a probability of 2⁻¹²⁸.
type Mark = u128;

/// The estimated bytes of a second in the map, without its marks.
const SECOND_BYTES: usize = 192;

/// The proofs that were seen, by the second in which they were made.
///
/// A proof always belongs to the same second: that of its `iat`, and that of its nonce, if it has one, so that it is known also after
/// nonces were switched on or off. When the bytes are used up, the earliest second is forgotten, and from then on
/// proofs of that second and of all before are not accepted: a flood shortens the time in which a proof has to arrive, and
/// never lets a replay pass. The same holds when a second's time is over, so that a clock that goes back revives no proof.
pub(super) struct Memory {
    limit: usize,
    bytes: usize,
    seconds: BTreeMap<u64, Second>,
    /// The latest second that was forgotten.
    forgotten: Option<u64>,
    seed: RandomState,
}

/// The proofs that were made within one second.
struct Second {
    marks: HashSet<Mark>,
    /// The time after which none of them is accepted in any case.
    until: SystemTime,
}

/// The judgement of the memory on a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// It was not seen before.
    Never,
    Before,
    /// It was made in a time that is forgotten: nobody knows if it was seen.
    Forgotten,
}

impl Memory {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, bytes: 0, seconds: BTreeMap::new(), forgotten: None, seed: RandomState::new() }
    }

    /// Looks a proof up, and remembers it. Returns true with it if a second was forgotten before its time.
    pub(super) fn see(&mut self, proof: &Sighting<'_>, now: SystemTime) -> (Seen, bool) {
        self.expire(now);
        match self.look(proof) {
            Seen::Never => {}
            seen => return (seen, false),
        }
        let made = second_of(proof.time.made);
        let mut shortened = self.remember(made, proof);
        if let Some(also) = proof.time.also.map(second_of).filter(|also| *also != made) {
            shortened |= self.remember(also, proof);
        }
        // The other second may have taken the room of this one.
        (if self.has_forgotten(made) { Seen::Forgotten } else { Seen::Never }, shortened)
    }

    /// Remembers a proof as made in this second, unless that is forgotten. Returns true if a second was forgotten before its time.
    fn remember(&mut self, made: u64, proof: &Sighting<'_>) -> bool {
        let shortened = self.make_room(made);
        if !self.has_forgotten(made) {
            self.insert(made, mark_of(proof), proof.time.until);
        }
        shortened
    }

    /// Looks a proof up, and does not remember it.
    pub(super) fn look(&self, proof: &Sighting<'_>) -> Seen {
        let made = second_of(proof.time.made);
        if self.has_forgotten(made) {
            return Seen::Forgotten;
        }
        let is_known = self.seconds.get(&made).is_some_and(|second| second.marks.contains(&mark_of(proof)));
        if is_known { Seen::Before } else { Seen::Never }
    }

    /// Returns the number of remembered proofs, and their estimated size in bytes.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.seconds.values().map(|second| second.marks.len()).sum(), self.bytes)
    }

    fn has_forgotten(&self, made: u64) -> bool {
        self.forgotten.is_some_and(|forgotten| made <= forgotten)
    }

    /// Forgets the seconds whose proofs nobody accepts any more.
    fn expire(&mut self, now: SystemTime) {
        while self.seconds.first_key_value().is_some_and(|(_, second)| second.until < now) {
            self.forget_earliest();
        }
    }

    /// Forgets seconds until one more mark fits into this one. Returns true if that took one.
    fn make_room(&mut self, made: u64) -> bool {
        let mut shortened = false;
        while !self.has_forgotten(made) && self.bytes + self.growth(made) > self.limit {
            shortened = true;
            match self.seconds.first_key_value() {
                Some((earliest, _)) if *earliest <= made => self.forget_earliest(),
                // This one is the earliest.
                _ => self.forgotten = Some(made),
            }
        }
        shortened
    }

    /// Returns the bytes that one more mark in this second takes at the most, while its table is moved.
    fn growth(&self, made: u64) -> usize {
        match self.seconds.get(&made) {
            None => SECOND_BYTES + table_bytes(1),
            Some(second) if second.marks.len() == second.marks.capacity() => table_bytes(second.marks.len() + 1),
            Some(_) => 0,
        }
    }

    fn insert(&mut self, made: u64, mark: Mark, until: SystemTime) {
        let is_new = !self.seconds.contains_key(&made);
        let second = self
            .seconds
            .entry(made)
            .or_insert_with(|| Second { marks: HashSet::with_hasher(self.seed.clone()), until });
        let before = if is_new { 0 } else { second.bytes() };
        second.marks.insert(mark);
        second.until = second.until.max(until);
        self.bytes = self.bytes + second.bytes() - before;
    }

    fn forget_earliest(&mut self) {
        if let Some((made, second)) = self.seconds.pop_first() {
            self.bytes -= second.bytes();
            self.forgotten = self.forgotten.max(Some(made));
        }
    }
}

impl Second {
    fn bytes(&self) -> usize {
        SECOND_BYTES + table_bytes(self.marks.capacity())
    }
}

/// The bytes of a table of the standard library with room for this many marks: at most 7 of 8 places are taken, their number
/// is a power of two, and each has one byte beside the mark.
fn table_bytes(marks: usize) -> usize {
    const GROUP: usize = 16;
    let places = (marks.saturating_mul(8).div_ceil(7)).next_power_of_two().max(4);
    places.saturating_mul(size_of::<Mark>() + 1).saturating_add(GROUP)
}

fn second_of(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn mark_of(proof: &Sighting<'_>) -> Mark {
    let half = proof.id.first_chunk().copied().unwrap_or_default();
    Mark::from_le_bytes(half)
}
