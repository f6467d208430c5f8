//! What a new token costs that displaces another from a full cache.

use portcullis_testkit::Algorithm;

use crate::{
    cell::{Cell, time},
    effort::Effort,
    issuer::Issuer,
    verify::{remember, typed_by_turns},
};

/// By turns, five times as many as the cache holds: none is there when it comes again.
const TOKENS: usize = 20_000;
const CACHED: usize = TOKENS / 5;

/// With HS256, whose signature costs so little that the rest is seen.
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
