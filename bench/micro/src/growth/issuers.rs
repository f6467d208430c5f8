//! Issuers of one verifier.

use portcullis::{Verifier, VerifierBuilder};
use portcullis_testkit::Algorithm;

use super::grouped;
use crate::{
    cell::{Cell, time},
    effort::Effort,
    issuer::Issuer,
    verify::{by_turns, remember, typed_by_turns},
};

pub fn print(effort: Effort) {
    let issuers: Vec<Issuer> = (0..100).map(issuer).collect();
    let verifiers = [1, 10, 100].map(|count| (count, verifiers(&issuers[..count])));
    let tokens: Vec<String> = issuers.iter().map(Issuer::token).collect();
    let mut cells = Vec::new();
    for (count, [forgetful, remembering]) in &verifiers {
        let tokens = &tokens[..*count];
        remember(remembering, tokens);
        cells.push(Cell::new(grouped(*count), "new token", typed_by_turns(forgetful, tokens)));
        cells.push(Cell::new(grouped(*count), "cached token", by_turns(remembering, tokens)));
    }
    time("growth: issuers", cells, effort);
}

fn issuer(number: usize) -> Issuer {
    Issuer { name: format!("https://login-{number}.example.com"), ..Issuer::new(Algorithm::ES256) }
}

fn verifiers(issuers: &[Issuer]) -> [Verifier; 2] {
    let any_of = |each: fn(VerifierBuilder) -> VerifierBuilder| {
        Verifier::any_of(issuers.iter().map(|issuer| each(issuer.verifier()))).expect("a good configuration")
    };
    [any_of(VerifierBuilder::without_token_cache), any_of(|remembering| remembering)]
}
