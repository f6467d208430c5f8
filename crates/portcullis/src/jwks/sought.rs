//! Keys that a recent fetch did not bring, so that another fetch would not help.

use std::{
    collections::VecDeque,
    time::{Duration, SystemTime},
};

use crate::token::Header;

/// The number of remembered keys.
const MOST: usize = 64;

/// The time for which the outcome of a fetch counts.
const A_MOMENT: Duration = Duration::from_secs(1);

/// Missing keys, and the time of the fetch that did not bring them; the latest first.
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
        // Without a kid, a key is looked for by its algorithm alone.
        self.kid == header.kid && (self.kid.is_some() || self.algorithm == header.algorithm.name())
    }
}

impl Sought {
    pub(super) fn note(&mut self, header: &Header, at: SystemTime) {
        self.0.retain(|asked| !asked.is_for(header));
        self.0.push_front(Asked { kid: header.kid.clone(), algorithm: header.algorithm.name(), at });
        self.0.truncate(MOST);
    }

    /// Tells whether a recent fetch did not bring this key.
    pub(super) fn in_vain(&self, header: &Header, now: SystemTime) -> bool {
        let asked = self.0.iter().find(|asked| asked.is_for(header));
        asked.is_some_and(|asked| now.duration_since(asked.at).is_ok_and(|age| age < A_MOMENT))
    }
}
