use serde_json::{Value, json};

use crate::algorithm::Algorithm;
use crate::key::SigningKey;
use crate::provider::Provider;

/// The server's signing keys and published keys.
pub(super) struct KeyRing {
    /// The provider whose members keys are published with.
    provider: Option<Provider>,
    /// One for each algorithm; the first is the default.
    signers: Vec<SigningKey>,
    published: Vec<SigningKey>,
    odd: Vec<Value>,
    replacement: Option<Value>,
    key_id_prefix: String,
    generated: u32,
}

impl KeyRing {
    /// Makes one key for each algorithm.
    pub(super) fn new(algorithms: &[Algorithm], key_id_prefix: String) -> Self {
        let mut ring = Self {
            provider: None,
            signers: Vec::new(),
            published: Vec::new(),
            odd: Vec::new(),
            replacement: None,
            key_id_prefix,
            generated: 0,
        };
        ring.signers = algorithms.iter().map(|alg| ring.generate(*alg)).collect();
        ring
    }

    /// Makes the keys of a provider.
    pub(super) fn of_provider(provider: &Provider) -> Self {
        let key = provider.new_key();
        Self {
            provider: Some(provider.clone()),
            signers: vec![key.clone()],
            published: vec![key],
            odd: provider.new_other_keys(),
            replacement: None,
            key_id_prefix: String::new(),
            generated: 0,
        }
    }

    /// Makes a key and publishes it as the last of the set.
    fn generate(&mut self, algorithm: Algorithm) -> SigningKey {
        self.generated += 1;
        let kid = format!("{}{}-{}", self.key_id_prefix, algorithm.name().to_lowercase(), self.generated);
        let key = SigningKey::generate(algorithm, kid);
        self.published.push(key.clone());
        key
    }

    #[expect(clippy::expect_used, reason = "the builder refuses to start without")]
    pub(super) fn signer(&self) -> &SigningKey {
        self.signers.first().expect("at least one algorithm")
    }

    pub(super) fn signers(&self) -> &[SigningKey] {
        &self.signers
    }

    pub(super) fn published(&self) -> &[SigningKey] {
        &self.published
    }

    /// Replaces the default signer; the old key stays published.
    pub(super) fn rotate(&mut self) -> SigningKey {
        let key = self.generate(self.signer().algorithm());
        if let Some(signer) = self.signers.first_mut() {
            *signer = key.clone();
        }
        key
    }

    /// Removes every key of this id from the published set.
    pub(super) fn withdraw(&mut self, kid: &str) {
        self.published.retain(|key| key.kid() != kid);
        self.odd.retain(|jwk| jwk["kid"] != kid);
    }

    pub(super) fn publish(&mut self, jwk: Value) {
        self.odd.push(jwk);
    }

    pub(super) fn replace(&mut self, document: Option<Value>) {
        self.replacement = document;
    }

    /// The document at the JWKS endpoint.
    pub(super) fn document(&self) -> Value {
        self.replacement.clone().unwrap_or_else(|| {
            let public = |key: &SigningKey| match &self.provider {
                Some(provider) => provider.published(key),
                None => key.public_jwk(),
            };
            let published = self.published.iter().map(public);
            let keys: Vec<Value> = published.chain(self.odd.iter().cloned()).collect();
            json!({ "keys": keys })
        })
    }
}
