//! What the test signs with and publishes: keys and tokens.

use serde_json::Value;

use super::AuthorizationServer;
use crate::algorithm::Algorithm;
use crate::attack::Attack;
use crate::key::SigningKey;
use crate::sync::lock;
use crate::token::TokenBuilder;

impl AuthorizationServer {
    /// Begins a good token by the current signing key and the server's clock.
    #[must_use]
    pub fn token(&self) -> TokenBuilder {
        self.state().token()
    }

    /// Begins a good token by the key of `algorithm`.
    ///
    /// # Panics
    ///
    /// When the builder was not given this algorithm.
    #[must_use]
    #[expect(clippy::panic, reason = "documented misuse")]
    pub fn token_with(&self, algorithm: Algorithm) -> TokenBuilder {
        let signers = lock(&self.state().keys).signers().to_vec();
        let key = signers.iter().find(|key| key.algorithm() == algorithm);
        match key {
            Some(key) => self.state().token_by(key),
            None => panic!("the server has no key for {algorithm}: name it in the builder"),
        }
    }

    /// A hostile token of a class, against this server's keys.
    #[must_use]
    pub fn hostile(&self, attack: Attack) -> String {
        self.hostile_from(attack, self.token())
    }

    /// A hostile token that resembles `good`, for an API that wants certain claims or scopes.
    ///
    /// Raw text that `good` was given in place of its header or claims may not survive.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # use portcullis_testkit::{Attack, AuthorizationServer};
    /// # let server = AuthorizationServer::start().await;
    /// let good = server.token().scope("read");
    /// let expired = server.hostile_from(Attack::Expired, good);
    /// # }
    /// ```
    #[must_use]
    pub fn hostile_from(&self, attack: Attack, good: TokenBuilder) -> String {
        attack.forge(&self.state().target(good))
    }

    /// The key that signs by default.
    #[must_use]
    pub fn signing_key(&self) -> SigningKey {
        self.state().signer()
    }

    /// The published keys, oldest first.
    #[must_use]
    pub fn keys(&self) -> Vec<SigningKey> {
        lock(&self.state().keys).published().to_vec()
    }

    /// Signs by a new key of the same algorithm from now on; the old one stays published.
    pub fn rotate(&self) -> SigningKey {
        lock(&self.state().keys).rotate()
    }

    /// Takes a key out of the published set; one that signs goes on signing.
    pub fn withdraw(&self, kid: &str) {
        lock(&self.state().keys).withdraw(kid);
    }

    /// Signs by a new key of the same algorithm, and takes the old one out of the published set.
    pub fn rotate_and_withdraw(&self) -> SigningKey {
        let mut keys = lock(&self.state().keys);
        let old = keys.signer().clone();
        let new = keys.rotate();
        keys.withdraw(old.kid());
        new
    }

    /// Publishes one more JWK, however odd, after the server's own.
    pub fn publish_jwk(&self, jwk: Value) {
        lock(&self.state().keys).publish(jwk);
    }

    /// Publishes this document, whatever it is, in place of the key set; `None` ends it.
    pub fn set_jwks(&self, document: Option<Value>) {
        lock(&self.state().keys).replace(document);
    }

    /// Issues an opaque token that stands for exactly these claims: a JSON object or a [`TokenBuilder`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let server = portcullis_testkit::AuthorizationServer::start().await;
    /// let token = server.issue_opaque(server.token().scope("read"));
    /// server.revoke(&token);
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When the value is no JSON object.
    #[expect(clippy::panic, reason = "documented misuse")]
    pub fn issue_opaque(&self, claims: impl Into<Value>) -> String {
        match claims.into() {
            Value::Object(claims) => self.state().issue_opaque(claims),
            other => panic!("claims are a JSON object, not {other}"),
        }
    }

    /// Makes introspection call a token, opaque or JWT, inactive from now on.
    pub fn revoke(&self, token: &str) {
        lock(&self.state().registry).revoke(token);
    }
}
