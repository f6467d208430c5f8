//! A cached token.

use figures::{Figure, heap_of};
use portcullis::Verifier;
use portcullis_testkit::Algorithm;

use crate::{
    cell::{Cell, time},
    effort::Effort,
    issuer::Issuer,
    verify::{by_turns, each_by_turns, typed_by_turns, verify},
};

const TABLE: &str = "cached";
const ROWS: [(&str, usize); 2] = [("the same token", 1), ("5,000 tokens by turns", 5_000)];

pub fn print(effort: Effort) {
    let issuer = Issuer::new(Algorithm::ES256);
    let tokens = issuer.tokens(5_000);
    let verifier = issuer.remembering(&tokens);
    let mut cells = Vec::new();
    for (row, count) in ROWS {
        let tokens = &tokens[..count];
        let subject = |token: &String| assert!(verify(&verifier, token).claims().subject().is_some());
        cells.push(Cell::new(row, "verified", by_turns(&verifier, tokens)));
        cells.push(Cell::new(row, "and its subject read", each_by_turns(tokens, subject)));
        cells.push(Cell::new(row, "and its claims typed", typed_by_turns(&verifier, tokens)));
    }
    time(TABLE, cells, effort);
    for (row, count) in ROWS {
        print_allocations(row, &verifier, &tokens[..count]);
    }
}

fn print_allocations(row: &str, verifier: &Verifier, tokens: &[String]) {
    let ((), heap) = heap_of(|| tokens.iter().for_each(|token| drop(verify(verifier, token))));
    let each = heap.allocations as f64 / tokens.len() as f64;
    Figure::count(TABLE, row, "allocations", "allocations", each).print();
}
