//! Heap allocations and their bytes for each token.

use figures::{Figure, heap_of};
use portcullis::Verifier;
use portcullis_testkit::Algorithm;

use crate::{
    effort::Effort,
    issuer::Issuer,
    verify::{verify, verify_and_read, verify_typed},
};

const FAMILIES: [Algorithm; 4] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA, Algorithm::HS256];
const TOKENS: usize = 100;

pub fn print(_: Effort) {
    for algorithm in FAMILIES {
        let issuer = Issuer::new(algorithm);
        let tokens = issuer.tokens(TOKENS);
        print_rows(&format!("{algorithm}, new token"), &tokens, &issuer.forgetful());
        print_rows(&format!("{algorithm}, cached token"), &tokens, &issuer.remembering(&tokens));
    }
}

fn print_rows(row: &str, tokens: &[String], verifier: &Verifier) {
    print_row(row, tokens, |token| drop(verify(verifier, token)));
    print_row(&format!("{row}, all claims read by name"), tokens, |token| {
        assert!(verify_and_read(verifier, token) > 0);
    });
    print_row(&format!("{row}, claims typed"), tokens, |token| drop(verify_typed(verifier, token)));
}

/// Prints the heap use of a second verification, when caches are filled.
fn print_row(row: &str, tokens: &[String], verify: impl Fn(&str)) {
    let all = || tokens.iter().for_each(|token| verify(token));
    all();
    let ((), heap) = heap_of(all);
    for (column, total) in [("allocations", heap.allocations), ("bytes", heap.bytes)] {
        Figure::count("allocations", row, column, column, total as f64 / tokens.len() as f64).print();
    }
}
