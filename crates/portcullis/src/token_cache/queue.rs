//! Which tokens go when there are too many.
//!
//! A short queue of new tokens before a long one of those that came again (as in S3-FIFO). Whoever was
//! taken since it was last looked at is spared and goes to the end of the long queue.

use std::collections::VecDeque;

use super::Limits;

/// The queue of new tokens may have one in so many of all.
const NEW_ONES: usize = 10;

/// So many are spared one after another; then the next goes, taken or not, so that no insertion takes long.
const SPARED_AT_ONCE: usize = 256;

/// The keys of all entries, and how much they weigh.
#[derive(Debug, Default)]
pub(super) struct Queue {
    new: VecDeque<u64>,
    kept: VecDeque<u64>,
    bytes: usize,
    spared: usize,
}

impl Queue {
    pub(super) fn add(&mut self, key: u64, weight: usize) {
        self.new.push_back(key);
        self.bytes += weight;
        self.spared = 0;
    }

    pub(super) fn replace(&mut self, older: usize, newer: usize) {
        self.bytes = self.bytes + newer - older;
        self.spared = 0;
    }

    /// The key of an entry that has to go or to be spared, as long as there is too much.
    pub(super) fn surplus(&mut self, limits: Limits) -> Option<u64> {
        if self.bytes <= limits.bytes && self.len() <= limits.tokens {
            return None;
        }
        let new_ones_first = self.new.len() > (self.len() / NEW_ONES).max(1);
        let (first, second) =
            if new_ones_first { (&mut self.new, &mut self.kept) } else { (&mut self.kept, &mut self.new) };
        first.pop_front().or_else(|| second.pop_front())
    }

    /// Whether this insertion may spare one more.
    pub(super) fn may_spare(&self) -> bool {
        self.spared < SPARED_AT_ONCE
    }

    pub(super) fn spare(&mut self, key: u64) {
        self.spared += 1;
        self.kept.push_back(key);
    }

    pub(super) fn gone(&mut self, weight: usize) {
        self.bytes -= weight;
    }

    pub(super) fn len(&self) -> usize {
        self.new.len() + self.kept.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
