//! Which keys left a set of late: only for people, who ask why a token by one is refused.

use std::{collections::VecDeque, time::SystemTime};

use crate::keys::KeySet;

/// How many are remembered.
const MOST: usize = 16;

/// The ids of keys that left, and when that was seen; the last one first.
#[derive(Debug, Default)]
pub(super) struct Withdrawn(VecDeque<(Box<str>, SystemTime)>);

impl Withdrawn {
    /// Another set takes the place of one.
    pub(super) fn note(&mut self, before: &KeySet, after: &KeySet, now: SystemTime) {
        let is_there = |kid: &str| after.kids().any(|known| known == Some(kid));
        self.0.retain(|(kid, _)| !is_there(kid));
        for kid in before.kids().flatten().filter(|kid| !is_there(kid)) {
            self.0.push_front((kid.into(), now));
        }
        self.0.truncate(MOST);
    }

    pub(super) fn when(&self, kid: &str) -> Option<SystemTime> {
        self.0.iter().find(|(known, _)| &**known == kid).map(|(_, when)| *when)
    }
}
