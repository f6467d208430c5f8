//! The repeated calls of the measurements.

use std::hint::black_box;

use figures::ready;
use portcullis::{VerifiedToken, Verifier};
use serde::Deserialize;

use crate::cell::Work;

/// The claims that a handler reads, the same as in the servers' handlers.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "the fields are deserialised, then dropped")]
pub struct Claims {
    /// The user.
    pub sub: String,
    /// The client that the token was issued to.
    pub client_id: String,
    /// The client's permissions.
    pub scope: String,
}

/// Verifies a token, which must be good.
pub fn verify(verifier: &Verifier, token: &str) -> VerifiedToken {
    ready(verifier.verify(black_box(token))).expect("a good token")
}

/// Verifies a token and reads its claims into the application's type.
pub fn verify_typed(verifier: &Verifier, token: &str) -> portcullis::Claims<Claims> {
    verify(verifier, token).typed().expect("claims of that type")
}

/// Verifies a token and reads each of its claims.
pub fn verify_and_read(verifier: &Verifier, token: &str) -> usize {
    verify(verifier, token).claims().iter().map(|(name, value)| black_box((name.len(), value.is_null())).0).sum()
}

/// Lets a verifier cache these tokens: the first call caches a token, the second gives the thread its handle.
pub fn remember(verifier: &Verifier, tokens: &[String]) {
    for token in tokens.iter().chain(tokens) {
        drop(verify(verifier, token));
    }
}

/// Verifies these tokens by turns, one a call.
pub fn by_turns<'a>(verifier: &'a Verifier, tokens: &'a [String]) -> Work<'a> {
    each_by_turns(tokens, |token| drop(black_box(verify(verifier, token))))
}

/// Verifies these tokens by turns, and reads their claims into a type.
pub fn typed_by_turns<'a>(verifier: &'a Verifier, tokens: &'a [String]) -> Work<'a> {
    each_by_turns(tokens, |token| drop(black_box(verify_typed(verifier, token))))
}

/// Runs work on these values by turns, one a call.
pub fn each_by_turns<'a, T>(all: &'a [T], mut work: impl FnMut(&T) + 'a) -> Work<'a> {
    let mut turn = all.iter().cycle();
    Box::new(move || turn.next().into_iter().for_each(&mut work))
}
