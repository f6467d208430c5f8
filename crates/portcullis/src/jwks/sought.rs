//! Which keys were looked for just now and not found: to look again would tell nothing else.

use std::{
    collections::VecDeque,
    time::{Duration, SystemTime},
};

use crate::token::Header;

/// The number of those that are remembered.
const MOST: usize = 64;

/// The time for which the answer of a fetch stands.
const A_MOMENT: Duration = Duration::from_secs(1);

/// The keys that tokens asked for, and the time of a fetch that had not brought them; the last one first.
#[derive(Debug, Default)]
pub(super) struct Sought(VecDeque<Asked>);

#[derive(Debug)]
struct Asked {
    kid: Option<Box<str>>,
    algorithm: &'static str,
    at: SystemTime,
}

impl Asked {
    fn is_for(&self, header: &Header) -> bool {
        // Without a kid, the algorithm is all that a key is looked for by.
        self.kid == header.kid && (self.kid.is_some() || self.algorithm == header.algorithm.name())
    }
}

impl Sought {
    pub(super) fn note(&mut self, header: &Header, at: SystemTime) {
        self.0.retain(|asked| !asked.is_for(header));
        self.0.push_front(Asked { kid: header.kid.clone(), algorithm: header.algorithm.name(), at });
        self.0.truncate(MOST);
    }

    /// Tells whether a fetch has shown just now that there is no such key.
    pub(super) fn in_vain(&self, header: &Header, now: SystemTime) -> bool {
        let asked = self.0.iter().find(|asked| asked.is_for(header));
        asked.is_some_and(|asked| now.duration_since(asked.at).is_ok_and(|age| age < A_MOMENT))
    }
}
