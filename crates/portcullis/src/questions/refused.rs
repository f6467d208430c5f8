//! Recently refused opaque tokens, so that repeating one does not cause a question each time.

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
    time::{Duration, SystemTime},
};

use super::lock;
use crate::{crypto::Digest, refusal::Refusal};

/// Remembers refusals for a short while, the latest ones if there are many.
///
/// It is separate from accepted tokens, so that a flood of bad tokens displaces no good one.
pub(crate) struct RefusedTokens {
    most: usize,
    refused: Mutex<Refused>,
}

#[derive(Default)]
struct Refused {
    known: HashMap<Digest, (Refusal, SystemTime)>,
    /// Oldest first.
    order: VecDeque<Digest>,
}

impl RefusedTokens {
    /// A memory for at most this many tokens.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, refused: Mutex::default() }
    }

    /// The refusal of this token, if it is recent.
    pub(crate) fn get(&self, token: &Digest, now: SystemTime, refused_for: Duration) -> Option<Refusal> {
        let refused = lock(&self.refused);
        let (refusal, since) = refused.known.get(token)?;
        now.duration_since(*since).is_ok_and(|age| age < refused_for).then(|| refusal.clone())
    }

    /// Remembers the refusal of a token.
    pub(crate) fn remember(&self, token: Digest, refusal: Refusal, now: SystemTime) {
        let mut refused = lock(&self.refused);
        if refused.known.insert(token, (refusal, now)).is_none() {
            refused.order.push_back(token);
        }
        if refused.order.len() > self.most {
            let oldest = refused.order.pop_front();
            oldest.map(|oldest| refused.known.remove(&oldest));
        }
    }

    /// Forgets the refusal of a token.
    pub(crate) fn forget(&self, token: &Digest) {
        let mut refused = lock(&self.refused);
        if refused.known.remove(token).is_some() {
            refused.order.retain(|known| known != token);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::TokenFault;

    const FOR: Duration = Duration::from_secs(5);

    fn digest(number: usize) -> Digest {
        let mut digest = Digest::default();
        digest[..8].copy_from_slice(&number.to_be_bytes());
        digest
    }

    #[test]
    fn a_refusal_is_remembered_for_its_time() {
        let refused = RefusedTokens::new(1);
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        refused.remember(digest(1), Refusal::Token(TokenFault::Inactive), start);
        let get = |number, seconds| refused.get(&digest(number), start + Duration::from_secs(seconds), FOR);
        assert_eq!(get(1, 4), Some(Refusal::Token(TokenFault::Inactive)));
        assert_eq!((get(1, 5), get(2, 0)), (None, None));
        // After a clock went back, a refusal does not last longer.
        assert_eq!(refused.get(&digest(1), start - FOR, FOR), None);
    }

    #[test]
    fn a_flood_is_bounded() {
        let refused = RefusedTokens::new(100);
        let now = SystemTime::UNIX_EPOCH;
        for number in 0..300 {
            refused.remember(digest(number), Refusal::Token(TokenFault::Inactive), now);
        }
        let inner = lock(&refused.refused);
        assert_eq!((inner.known.len(), inner.order.len()), (100, 100));
    }
}
