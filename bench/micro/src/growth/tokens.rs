//! Distinct tokens by turns, up to more than the cache's capacity.
//!
//! Tokens come from the first to the last, and again. For a cache that is too small this is the
//! worst order: the next token is always the one displaced longest ago.

use portcullis_testkit::Algorithm;

use super::grouped;
use crate::{
    cell::{Cell, time},
    effort::Effort,
    issuer::Issuer,
    verify::by_turns,
};

const COUNTS: [usize; 7] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];

pub fn print(effort: Effort) {
    let issuer = Issuer::new(Algorithm::HS256);
    let tokens = issuer.tokens(effort.most_tokens);
    let counts = COUNTS.into_iter().filter(|count| *count <= tokens.len());
    let verifiers: Vec<_> = counts.map(|count| (&tokens[..count], issuer.remembering(&tokens[..count]))).collect();
    let mut cells = Vec::new();
    for (tokens, verifier) in &verifiers {
        cells.push(Cell::new(grouped(tokens.len()), "per token", by_turns(verifier, tokens)));
    }
    time("growth: distinct tokens", cells, effort);
}
