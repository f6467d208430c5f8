//! The choice of the tokens that enter and leave a full cache.

use std::collections::VecDeque;

use super::Limits;

/// The number of used entries that an insertion spares; then it removes the next one, used or not, so that none takes long.
const SPARED_AT_ONCE: usize = 256;

/// The number of marks for each token that the cache has room for.
const STRANGERS: usize = 8;

/// The keys of all entries in the order of their removal, their size, and the marks of tokens that did not enter.
#[derive(Debug, Default)]
pub(super) struct Queue {
    keys: VecDeque<u64>,
    bytes: usize,
    spared: usize,
    strangers: Strangers,
}

impl Queue {
    /// Tells whether a new token may enter: if there is room, or at its second insertion.
    pub(super) fn admits(&mut self, key: u64, weight: usize, limits: Limits) -> bool {
        let has_room = self.bytes + weight <= limits.bytes && self.keys.len() < limits.tokens;
        has_room || self.strangers.knows(key, self.keys.len())
    }

    pub(super) fn add(&mut self, key: u64, weight: usize) {
        self.keys.push_back(key);
        self.bytes += weight;
        self.spared = 0;
    }

    pub(super) fn replace(&mut self, older: usize, newer: usize) {
        self.bytes = self.bytes + newer - older;
        self.spared = 0;
    }

    /// The key of the next entry to remove or to spare; none if the entries fit.
    pub(super) fn surplus(&mut self, limits: Limits) -> Option<u64> {
        let fits = self.bytes <= limits.bytes && self.keys.len() <= limits.tokens;
        if fits { None } else { self.keys.pop_front() }
    }

    /// Tells whether this insertion may spare one more entry.
    pub(super) fn may_spare(&self) -> bool {
        self.spared < SPARED_AT_ONCE
    }

    pub(super) fn spare(&mut self, key: u64) {
        self.spared += 1;
        self.keys.push_back(key);
    }

    pub(super) fn gone(&mut self, weight: usize) {
        self.bytes -= weight;
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The marks of tokens that were inserted once into a full cache: half of a key each, in the place given by the other half.
///
/// A newer mark replaces an older one at random, every other time: two tokens that share a place and take turns would
/// otherwise displace each other for ever. The table is made when the first token does not enter.
#[derive(Debug, Default)]
struct Strangers(Vec<u32>);

impl Strangers {
    /// Tells whether this token was inserted before, and marks it.
    fn knows(&mut self, key: u64, room: usize) -> bool {
        if self.0.is_empty() {
            self.0 = vec![0; (room * STRANGERS).next_power_of_two().max(64)];
        }
        #[expect(clippy::cast_possible_truncation, reason = "one half of the key is the place, the other the mark")]
        let (place, mark) = (key as usize & (self.0.len() - 1), (key >> 32) as u32);
        let Some(known) = self.0.get_mut(place) else { return false };
        let before = *known == mark;
        if *known == 0 || fastrand::bool() {
            *known = mark;
        }
        before
    }
}
