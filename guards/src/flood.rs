//! The memory of a cache under a million distinct tokens.

use std::time::SystemTime;

use portcullis_testkit::{Algorithm, SigningKey, TokenBuilder};
use stats_alloc::Region;

use crate::{
    HEAP,
    bound::Figure,
    case::{at_once, builder},
};

const TOKENS: u32 = 1_000_000;
const BOUND: usize = 4 << 20;

/// The allowance for the allocator's rounding and for entries about to be dropped.
const SLACK: u64 = 1 << 20;

pub(crate) fn figures() -> Vec<Figure> {
    let key = SigningKey::generate(Algorithm::HS256, "k");
    #[expect(clippy::expect_used, reason = "without it there is nothing to count")]
    let verifier = builder(&key).token_cache_bytes(BOUND).build().expect("a verifier");
    let template = TokenBuilder::new(&key, "https://as.example.com", SystemTime::now());
    let region = Region::new(HEAP);
    let (mut most, mut most_told) = (0, 0);
    for number in 0..TOKENS {
        let token = template.clone().subject(number.to_string()).sign();
        let passed = at_once(verifier.verify(&token)).is_some_and(|verdict| verdict.is_ok());
        assert!(passed, "a good token was refused");
        drop(token);
        let change = region.change();
        most = most.max(change.bytes_allocated.saturating_sub(change.bytes_deallocated));
        most_told = most_told.max(verifier.token_cache_size().bytes);
    }
    let figure = |what: &str, counted: usize, bound| Figure {
        what: format!("{what}, {TOKENS} tokens"),
        unit: "bytes",
        counted: counted as u64,
        bound,
    };
    vec![
        figure("heap of a cache of 4 MiB", most, BOUND as u64 + SLACK),
        figure("size reported by the cache", most_told, BOUND as u64),
    ]
}
