//! The cost of a new token that displaces another from a full cache.

use portcullis_testkit::Algorithm;

use crate::{
    cell::{Cell, time},
    effort::Effort,
    issuer::Issuer,
    verify::{remember, typed_by_turns},
};

/// The number of tokens by turns, five times the cache's capacity, so that none is cached at its next turn.
const TOKENS: usize = 20_000;
const CACHED: usize = TOKENS / 5;

/// Prints the cost with HS256, whose cheap signature leaves the rest visible.
pub fn print(effort: Effort) {
    let issuer = Issuer::new(Algorithm::HS256);
    let tokens = issuer.tokens(TOKENS);
    let forgetful = issuer.forgetful();
    let full = issuer.verifier().token_cache_tokens(CACHED).build().expect("a good configuration");
    remember(&full, &tokens);
    let cells = vec![
        Cell::new("HS256", "no cache", typed_by_turns(&forgetful, &tokens)),
        Cell::new("HS256", "a full cache", typed_by_turns(&full, &tokens)),
    ];
    time("new tokens and the cache", cells, effort);
}
