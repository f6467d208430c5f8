//! Recently withdrawn keys: only for explanations.

use std::{collections::VecDeque, time::SystemTime};

use crate::keys::KeySet;

/// The number of remembered keys.
const MOST: usize = 16;

/// The ids of withdrawn keys, and the time at which that was seen; the latest first.
#[derive(Debug, Default)]
pub(super) struct Withdrawn(VecDeque<(Box<str>, SystemTime)>);

impl Withdrawn {
    /// Records the change from one set to another.
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
