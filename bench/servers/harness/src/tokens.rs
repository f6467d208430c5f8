//! Access tokens of a realistic size: about 1,070 bytes with RS256.

use std::{thread, time::Duration};

use portcullis_testkit::{Algorithm, AuthorizationServer, DpopClient, SigningKey, TokenBuilder};
use serde_json::json;

/// The required audience, the test kit's default.
pub const AUDIENCE: &str = "https://api.example.com";

/// The lifetime of tokens, longer than any run.
const LIFETIME: Duration = Duration::from_secs(3600);

/// An access token of one of many users; each token is different.
#[must_use]
pub fn access_token(issuer: &AuthorizationServer, algorithm: Algorithm, user: usize) -> String {
    realistic(issuer.token_with(algorithm), user).sign()
}

/// An access token for these audiences.
#[must_use]
pub fn token_for(issuer: &AuthorizationServer, audiences: &[&str]) -> String {
    realistic(issuer.token(), 0).audience(json!(audiences)).sign()
}

/// A new opaque token with the claims of such an access token.
#[must_use]
pub fn opaque_token(issuer: &AuthorizationServer, user: usize) -> String {
    issuer.issue_opaque(realistic(issuer.token(), user))
}

/// A well-formed token signed with a foreign key, under an unpublished key id.
#[must_use]
pub fn forged_token(issuer: &AuthorizationServer, stranger: &SigningKey, number: usize) -> String {
    let token = TokenBuilder::new(stranger, issuer.issuer(), issuer.now());
    realistic(token, number).kid(format!("forged-{number:06}")).sign()
}

/// `count` access tokens, made on all cores.
///
/// # Panics
///
/// When the test kit panics.
#[must_use]
pub fn mint(issuer: &AuthorizationServer, algorithm: Algorithm, count: usize) -> Vec<String> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let users: Vec<usize> = (0..count).collect();
    thread::scope(|scope| {
        let minting = users.chunks(count.div_ceil(threads).max(1)).map(|users| {
            scope.spawn(|| users.iter().map(|user| access_token(issuer, algorithm, *user)).collect::<Vec<_>>())
        });
        // All threads start before the first join.
        let minting: Vec<_> = minting.collect();
        minting.into_iter().flat_map(|thread| thread.join().expect("the test kit signs")).collect()
    })
}

/// An access token of the first user that is bound to a key of this thumbprint.
#[must_use]
pub fn bound_token(issuer: &AuthorizationServer, algorithm: Algorithm, thumbprint: &str) -> String {
    realistic(issuer.token_with(algorithm), 0).bound_to_key(thumbprint).sign()
}

/// Requests of a client: the token and a new proof for `GET http://localhost/`, with a space between.
///
/// # Panics
///
/// When the test kit panics.
#[must_use]
pub fn proofs(client: &DpopClient, token: &str, count: usize) -> Vec<String> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let line = || format!("{token} {}", client.proof("GET", "http://localhost/").token(token).sign());
    thread::scope(|scope| {
        let minting: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| (0..count.div_ceil(threads)).map(|_| line()).collect::<Vec<_>>()))
            .collect();
        minting.into_iter().flat_map(|thread| thread.join().expect("the test kit signs")).collect()
    })
}

fn realistic(token: TokenBuilder, user: usize) -> TokenBuilder {
    token
        .subject(format!("7f6c2a4e-91d3-4b58-8e0a-{user:012}"))
        .scope("openid profile orders:read orders:write")
        .claim("name", "Friederike Musterfrau")
        .claim("email", format!("friederike.{user:06}@customers.example.com"))
        .claim("roles", json!(["customer", "newsletter", "beta-tester"]))
        .claim("tenant", "europe-central")
        .claim("sid", "c1f0a9c2-6a0e-4c55-9a63-3f0d7c1b2e48")
        .claim("preferred_username", "friederike.musterfrau")
        .expires_in(LIFETIME)
}
