//! Which tokens come in and which go, when there is no room for all.

use std::collections::VecDeque;

use super::Limits;

/// So many are spared one after another; then the next goes, taken or not, so that no insertion takes long.
const SPARED_AT_ONCE: usize = 256;

/// So many strangers are remembered for each token that there is room for.
const STRANGERS: usize = 8;

/// The keys of all entries in the order in which they are looked at, how much they weigh, and who stands outside.
#[derive(Debug, Default)]
pub(super) struct Queue {
    keys: VecDeque<u64>,
    bytes: usize,
    spared: usize,
    strangers: Strangers,
}

impl Queue {
    /// Whether a new token may come in: while there is room, or when it comes for the second time.
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

    /// The key of an entry that has to go or to be spared, as long as there is too much.
    pub(super) fn surplus(&mut self, limits: Limits) -> Option<u64> {
        let fits = self.bytes <= limits.bytes && self.keys.len() <= limits.tokens;
        if fits { None } else { self.keys.pop_front() }
    }

    /// Whether this insertion may spare one more.
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

/// Tokens that came once while there was no room: half of a key each, in the place that the other half names.
///
/// A newer one takes the place of an older every other time, by chance: two that come by turns and share a
/// place would otherwise push each other out for ever. The table is laid when the first stands outside.
#[derive(Debug, Default)]
struct Strangers(Vec<u32>);

impl Strangers {
    /// Whether this one came before; remembers it.
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
