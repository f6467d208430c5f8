//! Keys and tokens of the server.

use serde_json::Value;

use super::AuthorizationServer;
use crate::algorithm::Algorithm;
use crate::attack::Attack;
use crate::encoding::random_id;
use crate::key::SigningKey;
use crate::sync::lock;
use crate::token::TokenBuilder;

impl AuthorizationServer {
    /// Begins a good token, signed with the current key and issued by the server's clock.
    #[must_use]
    pub fn token(&self) -> TokenBuilder {
        self.state().token()
    }

    /// Begins a good token, signed with the key of `algorithm`.
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
            Some(key) => self.token_by(key),
            None => panic!("the server has no key for {algorithm}: name it in the builder"),
        }
    }

    /// Begins a good token, signed with any key, published or not, and issued by the server's clock.
    #[must_use]
    pub fn token_by(&self, key: &SigningKey) -> TokenBuilder {
        self.state().token_by(key)
    }

    /// A hostile token of a class, made for this server's keys.
    #[must_use]
    pub fn hostile(&self, attack: Attack) -> String {
        self.hostile_from(attack, self.token())
    }

    /// A hostile token that resembles `good`, for an API that requires certain claims or scopes.
    ///
    /// A raw header or payload of `good` may be lost.
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

    /// The default signing key.
    #[must_use]
    pub fn signing_key(&self) -> SigningKey {
        self.state().signer()
    }

    /// The published keys, oldest first.
    #[must_use]
    pub fn keys(&self) -> Vec<SigningKey> {
        lock(&self.state().keys).published().to_vec()
    }

    /// Signs with a new key of the same algorithm from now on; the old key stays published.
    pub fn rotate(&self) -> SigningKey {
        lock(&self.state().keys).rotate()
    }

    /// Removes a key from the published set; a signing key goes on signing.
    pub fn withdraw(&self, kid: &str) {
        lock(&self.state().keys).withdraw(kid);
    }

    /// Signs with a new key of the same algorithm and removes the old key from the published set.
    pub fn rotate_and_withdraw(&self) -> SigningKey {
        let mut keys = lock(&self.state().keys);
        let old = keys.signer().clone();
        let new = keys.rotate();
        keys.withdraw(old.kid());
        new
    }

    /// Publishes one more JWK, valid or not, after the server's own.
    pub fn publish_jwk(&self, jwk: Value) {
        lock(&self.state().keys).publish(jwk);
    }

    /// Publishes this document, valid or not, in place of the key set; `None` publishes the key set again.
    pub fn set_jwks(&self, document: Option<Value>) {
        lock(&self.state().keys).replace(document);
    }

    /// Issues an opaque token for exactly these claims: a JSON object or a [`TokenBuilder`].
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
    /// When the value is not a JSON object.
    #[expect(clippy::panic, reason = "documented misuse")]
    pub fn issue_opaque(&self, claims: impl Into<Value>) -> String {
        match claims.into() {
            Value::Object(claims) => self.state().issue_opaque(claims),
            other => panic!("expected claims as a JSON object, got {other}"),
        }
    }

    /// Demands a new nonce of DPoP proofs from now on, and returns it; the earlier one is refused.
    ///
    /// The builder does not have to turn nonces on first.
    pub fn renew_dpop_nonce(&self) -> String {
        let nonce = random_id();
        *lock(&self.state().dpop_nonce) = Some(nonce.clone());
        nonce
    }

    /// Revokes a token, opaque or JWT: introspection answers that it is inactive.
    pub fn revoke(&self, token: &str) {
        lock(&self.state().registry).revoke(token);
    }
}
