//! Keys in the set.

use portcullis::{JwksService, Verifier};
use portcullis_testkit::Algorithm;
use serde_json::json;

use super::grouped;
use crate::{
    cell::{Cell, time},
    effort::Effort,
    issuer::{Issuer, jwk_set},
    verify::{by_turns, remember, typed_by_turns},
};

pub fn print(effort: Effort) {
    let issuer = Issuer::new(Algorithm::RS256);
    let tokens = issuer.tokens(16);
    let verifiers = [1, 10, 100, 1_000].map(|keys| (grouped(keys), verifiers(&issuer, keys)));
    let mut cells = Vec::new();
    for (keys, [forgetful, remembering]) in &verifiers {
        remember(remembering, &tokens);
        cells.push(Cell::new(keys, "new token", typed_by_turns(forgetful, &tokens)));
        cells.push(Cell::new(keys, "cached token", by_turns(remembering, &tokens)));
    }
    time("growth: keys", cells, effort);
}

fn verifiers(issuer: &Issuer, keys: usize) -> [Verifier; 2] {
    let jwks = jwks(issuer, keys);
    let verifier = || issuer.verifier_with(JwksService::from_json(&jwks).expect("a JWK Set"));
    [verifier().without_token_cache(), verifier()].map(|verifier| verifier.build().expect("a good configuration"))
}

/// A set whose last key is the issuer's; the others are copies of it, because making RSA keys takes long.
fn jwks(issuer: &Issuer, keys: usize) -> String {
    let jwk = |number: usize| {
        let mut jwk = issuer.key.public_jwk();
        jwk["kid"] = json!(format!("former-{number}"));
        jwk
    };
    jwk_set((1..keys).map(jwk).chain([issuer.key.public_jwk()]).collect())
}
