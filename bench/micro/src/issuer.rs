//! Tokens of an authorization server, and a verifier for them.

use std::{
    thread,
    time::{Duration, SystemTime},
};

use portcullis::{JwksService, Verifier, VerifierBuilder};
use portcullis_testkit::{Algorithm, SigningKey, TokenBuilder};
use serde_json::{Value, json};

use crate::verify::remember;

const ISSUER: &str = "https://login.example.com";
pub const AUDIENCE: &str = "https://api.example.com";

/// The HS256 secret; as long as the hash.
pub const SECRET: &[u8] = b"a secret for nothing but a bench";

/// One issuer with one key.
pub struct Issuer {
    pub name: String,
    pub key: SigningKey,
}

impl Issuer {
    pub fn new(algorithm: Algorithm) -> Self {
        let kid = "login-2026-11";
        let key = match algorithm {
            Algorithm::HS256 => SigningKey::from_secret(algorithm, kid, SECRET),
            _ => SigningKey::generate(algorithm, kid),
        };
        Self { name: ISSUER.to_owned(), key }
    }

    /// The issuer's public key as a JWK Set.
    pub fn jwks(&self) -> String {
        jwk_set(vec![self.key.public_jwk()])
    }

    /// A verifier for its tokens without a cache.
    pub fn forgetful(&self) -> Verifier {
        self.verifier().without_token_cache().build().expect("a good configuration")
    }

    /// A verifier for its tokens with the default cache, which contains these tokens.
    pub fn remembering(&self, tokens: &[String]) -> Verifier {
        let verifier = self.verifier().build().expect("a good configuration");
        remember(&verifier, tokens);
        verifier
    }

    /// A builder of a verifier for its tokens.
    pub fn verifier(&self) -> VerifierBuilder {
        if self.key.algorithm() == Algorithm::HS256 {
            let jwks = JwksService::from_secret(SECRET).expect("the secret is long enough");
            return self.verifier_with(jwks).algorithms([portcullis::Algorithm::HS256]);
        }
        self.verifier_with(JwksService::from_json(&self.jwks()).expect("a JWK Set"))
    }

    /// A builder of a verifier for its tokens with this key set.
    pub fn verifier_with(&self, jwks: JwksService) -> VerifierBuilder {
        Verifier::builder(jwks).issuer(&self.name).audience(AUDIENCE)
    }

    /// A token of about 1,070 bytes with RS256, about 800 with ES256, EdDSA and HS256.
    pub fn token(&self) -> String {
        self.unsigned().sign()
    }

    /// This number of tokens, minted on all cores.
    pub fn tokens(&self, count: usize) -> Vec<String> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let mint = |share: usize| (0..share).map(|_| self.token()).collect::<Vec<_>>();
        thread::scope(|scope| {
            let shares = (0..threads).map(|thread| (count + thread) / threads);
            // All threads start before the first join.
            let minting: Vec<_> = shares.map(|share| scope.spawn(move || mint(share))).collect();
            minting.into_iter().flat_map(|thread| thread.join().expect("it ends")).collect()
        })
    }

    /// The token that [`token`](Self::token) signs; each has its own `jti`.
    pub fn unsigned(&self) -> TokenBuilder {
        TokenBuilder::new(&self.key, &self.name, SystemTime::now())
            .audience(AUDIENCE)
            .expires_in(Duration::from_secs(3600))
            .subject("5d6f1c1e-7a52-4c1c-9a55-0d1f5a0f3b7e")
            .scope("openid profile orders:read orders:write invoices:read")
            .claim("client_id", "web-shop-frontend")
            .claim("name", "Alice Margaret Example")
            .claim("email", "alice.example@customers.example.com")
            .claim("roles", json!(["customer", "newsletter-editor", "returns"]))
            .claim("tenant", "europe-central")
            .claim("sid", "0b9d8e52-3f64-4a7c-8d16-5a1f6e2c7b90")
            .claim("acr", "urn:example:mfa")
    }
}

pub fn jwk_set(keys: Vec<Value>) -> String {
    json!({ "keys": keys }).to_string()
}
