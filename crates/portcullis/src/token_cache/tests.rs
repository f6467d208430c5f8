//! Lookups, insertions and removals.

use std::{fmt::Display, sync::Arc, time::SystemTime};

use portcullis_testkit::{Algorithm, SigningKey, TokenBuilder};
use serde_json::json;

use super::*;
use crate::{
    bearer::BearerToken,
    claims::IssuerRules,
    keys::{ImportRules, KeySet, Origin},
    token,
};

/// Makes verified tokens, by verifying them.
struct Mint {
    key: SigningKey,
    keys: Arc<KeySet>,
}

impl Mint {
    fn new() -> Self {
        let key = SigningKey::from_secret(Algorithm::HS256, "k", &[7; 32]);
        let document = json!({ "keys": [key.public_jwk()] }).to_string().parse().unwrap();
        Self { key, keys: Arc::new(KeySet::import(&document, &ImportRules::of(Origin::Local))) }
    }

    fn token(&self, subject: impl Display) -> (String, VerifiedToken) {
        let now = SystemTime::now();
        let text = TokenBuilder::new(&self.key, "i", now).subject(subject.to_string()).sign();
        let token = token::parse(BearerToken::bare(text.as_bytes(), 100_000).unwrap()).unwrap();
        let signed = self.keys.candidates(token.header()).unwrap().verify(token, 8).unwrap();
        let verified = Arc::new(IssuerRules::default()).accept(signed, now).unwrap();
        (text, verified)
    }

    /// Puts a new token into the cache.
    fn fill(&self, cache: &TokenCache<()>, subject: impl Display) -> String {
        let (text, verified) = self.token(subject);
        cache.insert(text.as_bytes(), verified, ());
        text
    }
}

/// Returns true if the token is in the cache; inserts it if not.
fn visit(cache: &TokenCache<()>, (text, verified): &(String, VerifiedToken)) -> bool {
    let known = has(cache, text);
    if !known {
        cache.insert(text.as_bytes(), verified.clone(), ());
    }
    known
}

fn of_tokens(tokens: usize) -> TokenCache<()> {
    TokenCache::new(Limits { tokens, ..Limits::default() })
}

fn has(cache: &TokenCache<()>, token: &str) -> bool {
    cache.get(token.as_bytes(), |(), _| true).is_some()
}

#[test]
fn a_token_is_found_by_all_of_its_bytes_and_no_others() {
    let (mint, cache) = (Mint::new(), of_tokens(100));
    let token = mint.fill(&cache, "alice");
    let found = cache.get(token.as_bytes(), |(), _| true).unwrap();
    assert_eq!(found.claims().subject(), Some("alice"));
    for at in 0..token.len() {
        let mut other = token.clone().into_bytes();
        other[at] ^= 1;
        assert!(cache.get(&other, |(), _| true).is_none(), "byte {at}");
    }
    for other in [&token[1..], &token[..token.len() - 1], "", &format!("{token}A"), &format!("A{token}")] {
        assert!(!has(&cache, other), "{other}");
    }
}

#[test]
fn tokens_with_the_same_hash_do_not_stand_for_each_other() {
    let (mint, cache) = (Mint::new(), of_tokens(100));
    let (text, verified) = mint.token("alice");
    // The hashed bytes are the same; no issuer signs such a pair.
    let twin = format!("x{text}");
    cache.insert(text.as_bytes(), verified.clone(), ());
    assert!(!has(&cache, &twin));
    cache.insert(twin.as_bytes(), verified, ());
    assert!(has(&cache, &twin) && !has(&cache, &text), "the place is the last one's");
    assert_eq!(cache.size().0, 1);
    cache.forget(text.as_bytes());
    assert!(has(&cache, &twin), "forgetting one does not touch the other");
}

#[test]
fn a_longer_or_shorter_one_is_another_even_if_all_that_can_be_compared_is_the_same() {
    let (mint, cache) = (Mint::new(), of_tokens(100));
    let (text, length) = ([b'A'; 200], 100);
    cache.insert(&text[..length], mint.token("alice").1, ());
    for other in 0..200 {
        assert_eq!(cache.get(&text[..other], |(), _| true).is_some(), other == length, "{other} bytes");
    }
}

#[test]
fn what_does_not_hold_is_not_found() {
    let (mint, cache) = (Mint::new(), TokenCache::new(Limits::default()));
    let (text, verified) = mint.token("alice");
    cache.insert(text.as_bytes(), verified, "grounds");
    assert!(cache.get(text.as_bytes(), |grounds, token| *grounds == "grounds" && token.kid() == Some("k")).is_some());
    assert!(cache.get(text.as_bytes(), |_, _| false).is_none());
}

#[test]
fn a_forgotten_token_is_known_again_when_it_was_verified_anew() {
    let (mint, cache) = (Mint::new(), of_tokens(100));
    let (text, verified) = mint.token("alice");
    for _ in 0..3 {
        cache.insert(text.as_bytes(), verified.clone(), ());
        assert!(has(&cache, &text));
        cache.forget(text.as_bytes());
        assert!(!has(&cache, &text));
    }
    assert_eq!(cache.size().0, 1, "it takes one place, however often it comes");
}

#[test]
fn bytes_and_tokens_are_bounded() {
    let mint = Mint::new();
    for (bytes, tokens) in [(0, 100), (100_000, 0), (3_000, 100), (50_000, 1_000), (1 << 20, 3), (1 << 20, 1)] {
        let cache = TokenCache::new(Limits { bytes, tokens });
        for n in 0..100 {
            mint.fill(&cache, n);
            let (count, weight) = cache.size();
            assert!(count <= tokens && weight <= bytes, "{count} tokens, {weight} bytes of {tokens}, {bytes}");
        }
        let last = mint.token("last");
        assert!(!visit(&cache, &last));
        // More than two attempts may be needed, since another token may have its place.
        let enters = (0..100).any(|_| visit(&cache, &last));
        assert_eq!(enters, bytes >= 3_000 && tokens > 0, "{bytes} bytes, {tokens} tokens");
        let (count, weight) = cache.size();
        assert!(count <= tokens && weight <= bytes, "{count} tokens, {weight} bytes of {tokens}, {bytes}");
    }
}

#[test]
fn weights_are_given_back() {
    let (mint, cache) = (Mint::new(), of_tokens(10));
    for n in 0..1_000 {
        mint.fill(&cache, n % 50);
    }
    let (count, bytes) = cache.size();
    let each = bytes / count;
    assert_eq!(count, 10);
    assert!((1_000..5_000).contains(&each), "{each} bytes a token");
}

#[test]
fn a_flood_of_tokens_that_come_once_displaces_none() {
    let (mint, cache) = (Mint::new(), of_tokens(100));
    let regulars: Vec<_> = (0..100).map(|n| mint.token(n)).collect();
    assert!(!regulars.iter().any(|token| visit(&cache, token)), "all are new");
    for n in 0..5_000 {
        mint.fill(&cache, format!("once {n}"));
    }
    assert!(regulars.iter().all(|token| visit(&cache, token)));
}

#[test]
fn even_a_flood_of_tokens_that_come_twice_displaces_few_that_come_again_and_again() {
    let (mint, cache) = (Mint::new(), of_tokens(100));
    let regulars: Vec<_> = (0..50).map(|n| mint.token(n)).collect();
    let mut missed = 0;
    for round in 0..100 {
        missed += regulars.iter().filter(|token| !visit(&cache, token)).count();
        for n in 0..20 {
            let twice = mint.token(format!("twice {round} {n}"));
            visit(&cache, &twice);
            visit(&cache, &twice);
        }
    }
    // Each regular is new once.
    assert!((50..100).contains(&missed), "{missed} of 5,000 requests of regulars missed");
}

#[test]
fn tokens_that_come_no_more_make_room_for_new_regulars() {
    let (mint, cache) = (Mint::new(), of_tokens(20));
    let former: Vec<_> = (0..20).map(|n| mint.token(n)).collect();
    former.iter().chain(&former).for_each(|token| {
        visit(&cache, token);
    });
    let newer: Vec<_> = (0..20).map(|n| mint.token(format!("new {n}"))).collect();
    for _ in 0..100 {
        newer.iter().for_each(|token| {
            visit(&cache, token);
        });
    }
    assert!(newer.iter().all(|token| has(&cache, &token.0)) && !former.iter().any(|token| has(&cache, &token.0)));
}

#[test]
fn many_threads_find_what_is_there_and_nothing_else() {
    let (mint, cache) = (Mint::new(), of_tokens(64));
    let tokens: Vec<_> = (0..128).map(|n| mint.token(n)).collect();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (cache, tokens) = (&cache, &tokens);
            scope.spawn(move || {
                for round in 0..2_000 {
                    let number = (round * 7 + thread * 31) % tokens.len();
                    let (text, verified) = &tokens[number];
                    match cache.get(text.as_bytes(), |(), _| true) {
                        Some(found) => assert_eq!(found.claims().subject(), Some(number.to_string().as_str())),
                        None => cache.insert(text.as_bytes(), verified.clone(), ()),
                    }
                    if round % 97 == 0 {
                        cache.forget(text.as_bytes());
                    }
                }
            });
        }
    });
    assert!(cache.size().0 <= 64);
}
