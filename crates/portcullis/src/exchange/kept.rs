//! Exchanged tokens that are kept, in bounded bytes.

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
};

use super::ExchangedToken;
use crate::{crypto::Digest, questions::lock};

/// The bytes of an entry beside its token.
const ENTRY_BYTES: usize = 3 * size_of::<Digest>() + 64;

/// Exchanged tokens, each by the digest of its question and of the client's token; the oldest leave first.
pub(super) struct Kept {
    most_bytes: usize,
    tokens: Mutex<Tokens>,
}

#[derive(Default)]
struct Tokens {
    known: HashMap<Digest, ExchangedToken>,
    /// Oldest first.
    order: VecDeque<Digest>,
    bytes: usize,
}

impl Kept {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self { most_bytes, tokens: Mutex::default() }
    }

    pub(super) fn get(&self, name: &Digest) -> Option<ExchangedToken> {
        lock(&self.tokens).known.get(name).cloned()
    }

    /// Keeps a token, in place of an older one with the same name.
    pub(super) fn insert(&self, name: Digest, token: ExchangedToken) {
        let mut tokens = lock(&self.tokens);
        tokens.bytes += weight(&token);
        match tokens.known.insert(name, token) {
            Some(older) => tokens.bytes -= weight(&older),
            None => tokens.order.push_back(name),
        }
        while tokens.bytes > self.most_bytes {
            let Some(oldest) = tokens.order.pop_front() else { break };
            if let Some(gone) = tokens.known.remove(&oldest) {
                tokens.bytes -= weight(&gone);
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
        let of = |number: u8| kept.get(&[number; 32]).is_some();
        assert_eq!((of(89), of(90), of(99)), (false, true, true));
        assert_eq!(lock(&kept.tokens).order.len(), 10);
        kept.insert([200; 32], token(100_000));
        let tokens = lock(&kept.tokens);
        assert_eq!((tokens.bytes, tokens.known.len()), (0, 0), "a token that has no room is not kept");
    }
}
