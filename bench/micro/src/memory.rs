//! The heap use of the cache of verified tokens.

use figures::{Figure, heap_of};
use portcullis::Verifier;
use portcullis_testkit::Algorithm;

use crate::{
    effort::Effort,
    growth::grouped,
    issuer::Issuer,
    verify::{verify, verify_and_read, verify_typed},
};

const TABLE: &str = "memory";
const TOKENS: usize = 10_000;
const MIB: f64 = 1024.0 * 1024.0;

/// The cache's bound in the flood; twice that if no token is to be displaced.
const BOUND: usize = 32 << 20;

pub fn print(effort: Effort) {
    let issuer = Issuer::new(Algorithm::RS256);
    let tokens = issuer.tokens(TOKENS);
    print_growth("10,000 cached tokens", &issuer, &tokens, |verifier, token| drop(verify(verifier, token)));
    print_growth("10,000 cached tokens, all claims read by name", &issuer, &tokens, |verifier, token| {
        assert!(verify_and_read(verifier, token) > 0);
    });
    print_growth("10,000 cached tokens, claims typed", &issuer, &tokens, |verifier, token| {
        // The second read keeps the typed claims in the cache.
        (0..3).for_each(|_| drop(verify_typed(verifier, token)));
    });
    print_flood(effort.most_tokens);
}

fn print_growth(row: &str, issuer: &Issuer, tokens: &[String], verify: impl Fn(&Verifier, &str)) {
    let verifier = verifier(issuer, 2 * BOUND);
    let ((), heap) = heap_of(|| tokens.iter().for_each(|token| verify(&verifier, token)));
    assert_eq!(verifier.token_cache_size().tokens, tokens.len(), "all of them are cached");
    Figure::count(TABLE, row, "in all", "MiB", heap.growth as f64 / MIB).print();
    Figure::count(TABLE, row, "per token", "bytes", heap.growth as f64 / tokens.len() as f64).print();
}

/// Prints the heap use under many tokens, which stays within the cache's bound.
fn print_flood(tokens: usize) {
    let issuer = Issuer::new(Algorithm::HS256);
    let verifier = verifier(&issuer, BOUND);
    let flood = || (0..tokens).for_each(|_| drop(verify_typed(&verifier, &issuer.token())));
    let ((), heap) = heap_of(flood);
    let row = format!("a flood of {} distinct tokens", grouped(tokens));
    Figure::count(TABLE, &row, "in all", "MiB", heap.growth as f64 / MIB).print();
    Figure::count(TABLE, &row, "at most", "MiB", heap.peak as f64 / MIB).print();
    Figure::count(TABLE, &row, "bound", "MiB", BOUND as f64 / MIB).print();
}

fn verifier(issuer: &Issuer, bytes: usize) -> Verifier {
    issuer.verifier().token_cache_bytes(bytes).build().expect("a good configuration")
}
