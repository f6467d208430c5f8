//! Distinct tokens that come by turns, up to more than the cache holds.
//!
//! One after the other from the first to the last, and again: for a cache that is too small, the
//! unkindest order, in which the token that comes next is the one that left longest ago.

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
