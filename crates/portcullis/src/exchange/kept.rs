//! Exchanged tokens that are kept, in bounded bytes.

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
};

use super::ExchangedToken;
use crate::{crypto::Digest, questions::lock};

/// The bytes of an entry beside its token.
const ENTRY_BYTES: usize = 3 * size_of::<Digest>() + 64;

/// Exchanged tokens, each by the digest of its question and of the client's token.
///
/// The oldest leave first, except that a token that was used since has another turn: a client with many tokens displaces none in use.
pub(super) struct Kept {
    most_bytes: usize,
    tokens: Mutex<Tokens>,
}

#[derive(Default)]
struct Tokens {
    known: HashMap<Digest, Known>,
    /// Oldest first.
    order: VecDeque<Digest>,
    bytes: usize,
}

struct Known {
    token: ExchangedToken,
    /// True if it was used since it came, or since its last turn.
    used: bool,
}

impl Kept {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self { most_bytes, tokens: Mutex::default() }
    }

    pub(super) fn get(&self, name: &Digest) -> Option<ExchangedToken> {
        let mut tokens = lock(&self.tokens);
        let known = tokens.known.get_mut(name)?;
        known.used = true;
        Some(known.token.clone())
    }

    /// Keeps a token, in place of an older one with the same name; not one that has no room at all.
    pub(super) fn insert(&self, name: Digest, token: ExchangedToken) {
        if weight(&token) > self.most_bytes {
            return;
        }
        let mut tokens = lock(&self.tokens);
        tokens.bytes += weight(&token);
        match tokens.known.insert(name, Known { token, used: false }) {
            Some(older) => tokens.bytes -= weight(&older.token),
            None => tokens.order.push_back(name),
        }
        while tokens.bytes > self.most_bytes {
            let Some(oldest) = tokens.order.pop_front() else { break };
            tokens.retire(oldest);
        }
    }
}

impl Tokens {
    /// Takes the oldest token out, or gives it another turn if it was used.
    fn retire(&mut self, oldest: Digest) {
        match self.known.get_mut(&oldest) {
            Some(known) if known.used => {
                known.used = false;
                self.order.push_back(oldest);
            }
            _ => {
                let gone = self.known.remove(&oldest);
                self.bytes -= gone.map_or(0, |gone| weight(&gone.token));
            }
        }
    }
}

fn weight(token: &ExchangedToken) -> usize {
    ENTRY_BYTES + token.heap_bytes()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn token(bytes: usize) -> ExchangedToken {
        ExchangedToken::new(&"a".repeat(bytes), None, SystemTime::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn the_oldest_leave_first_and_the_bytes_stay_bounded() {
        let kept = Kept::new(10 * weight(&token(1_000)));
        for number in 0..100 {
            kept.insert([number; 32], token(1_000));
            // The same again takes no more room.
            kept.insert([number; 32], token(1_000));
        }
        assert_eq!(lock(&kept.tokens).order.len(), 10);
        kept.insert([200; 32], token(100_000));
        let of = |number: u8| kept.get(&[number; 32]).is_some();
        assert_eq!((of(89), of(90), of(99)), (false, true, true));
        assert!(!of(200), "a token that has no room is not kept, and displaces none");
        let tokens = lock(&kept.tokens);
        assert_eq!((tokens.bytes, tokens.known.len()), (10 * weight(&token(1_000)), 10));
    }

    #[test]
    fn tokens_that_come_once_displace_none_in_use() {
        let kept = Kept::new(10 * weight(&token(1_000)));
        let in_use = [1, 2, 3].map(|number| [number; 32]);
        in_use.into_iter().for_each(|name| kept.insert(name, token(1_000)));
        for number in 10..=255 {
            assert!(in_use.iter().all(|name| kept.get(name).is_some()), "{number}");
            kept.insert([number; 32], token(1_000));
        }
        assert_eq!(lock(&kept.tokens).known.len(), 10);
        // All were used: whichever comes has to leave.
        let all: Vec<_> = lock(&kept.tokens).known.keys().copied().collect();
        assert!(all.iter().all(|name| kept.get(name).is_some()));
        kept.insert([0; 32], token(1_000));
        assert!(all.iter().all(|name| kept.get(name).is_some()) && kept.get(&[0; 32]).is_none());
    }
}
