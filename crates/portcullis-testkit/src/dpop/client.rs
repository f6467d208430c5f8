use std::time::SystemTime;

use serde_json::Value;

use super::case::{DpopAttempt, DpopCase, Scene};
use super::proof::ProofBuilder;
use crate::algorithm::{Algorithm, Family};
use crate::clock::TestClock;
use crate::encoding::random_id;
use crate::key::SigningKey;
use crate::token::TokenBuilder;

/// A client with a key of its own, which sends DPoP proofs ([RFC 9449]); clones share the key.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use portcullis_testkit::{Algorithm, AuthorizationServer, DpopClient};
///
/// let server = AuthorizationServer::start().await;
/// let client = DpopClient::new(Algorithm::ES256);
/// let token = server.token().bound_to_key(client.thumbprint()).sign();
///
/// let url = "https://api.example.com/notes";
/// let proof = client.proof("GET", url).token(&token).sign();
/// // … send `Authorization: DPoP {token}` and `DPoP: {proof}` to your API: it must answer 200 …
/// // … and again: the proof was used, so it must answer 401 …
/// # }
/// ```
///
/// [RFC 9449]: https://www.rfc-editor.org/rfc/rfc9449
#[derive(Clone, Debug)]
pub struct DpopClient {
    key: SigningKey,
    clock: Option<TestClock>,
    nonce: Option<String>,
}

impl DpopClient {
    /// Makes a client with a new key.
    ///
    /// # Panics
    ///
    /// When `algorithm` is HS256, HS384 or HS512, which cannot sign proofs.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self::with_key(SigningKey::generate(algorithm, "client"))
    }

    /// Makes a client with this key.
    ///
    /// # Panics
    ///
    /// When the key is a secret of HS256, HS384 or HS512, which cannot sign proofs.
    #[must_use]
    pub fn with_key(key: SigningKey) -> Self {
        let algorithm = key.algorithm();
        assert!(algorithm.family() != Family::Secret, "expected an asymmetric algorithm for proofs, got {algorithm}");
        Self { key, clock: None, nonce: None }
    }

    /// Takes the time of proofs from `clock` instead of the system.
    #[must_use]
    pub fn with_clock(self, clock: TestClock) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Puts this nonce, a value of a `DPoP-Nonce` field, in each proof from now on.
    #[must_use]
    pub fn with_nonce(self, nonce: impl Into<String>) -> Self {
        Self { nonce: Some(nonce.into()), ..self }
    }

    /// The client's key.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The thumbprint of the client's key: the `jkt` of its tokens ([RFC 9449 section 6.1]).
    ///
    /// [RFC 9449 section 6.1]: https://www.rfc-editor.org/rfc/rfc9449#section-6.1
    #[must_use]
    pub fn thumbprint(&self) -> String {
        self.key.thumbprint()
    }

    /// The public key as proofs contain it.
    #[must_use]
    pub fn public_jwk(&self) -> Value {
        self.key.bare_jwk()
    }

    /// Begins a good proof for a request; its query and fragment are left out.
    #[must_use]
    pub fn proof(&self, method: &str, url: &str) -> ProofBuilder {
        self.proof_by(&self.key, method, url)
    }

    /// Begins a proof with another key than the client's.
    pub(super) fn proof_by(&self, key: &SigningKey, method: &str, url: &str) -> ProofBuilder {
        let proof = ProofBuilder::new(key, method, url, self.now());
        match &self.nonce {
            Some(nonce) => proof.nonce(nonce.as_str()),
            None => proof,
        }
    }

    /// The header fields of a good request with a bound access token: `authorization` and `dpop`.
    #[must_use]
    pub fn fields(&self, method: &str, url: &str, token: &str) -> Vec<(&'static str, String)> {
        let proof = self.proof(method, url).token(token).sign();
        vec![("authorization", format!("DPoP {token}")), ("dpop", proof)]
    }

    /// Mints a request of a case, with a token that resembles `good`, which the case binds to a key or not.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # use portcullis_testkit::{Algorithm, AuthorizationServer, DpopCase, DpopClient};
    /// # let server = AuthorizationServer::start().await;
    /// let client = DpopClient::new(Algorithm::ES256);
    /// for case in DpopCase::ALL {
    ///     let attempt = client.attempt(*case, "GET", "https://api.example.com/notes", &server.token());
    ///     // … send the requests of `attempt.earlier()`, which must pass, then one with `attempt.fields()` …
    ///     let passed = case.must_pass(); // your API's answer
    ///     assert_eq!(passed, case.must_pass(), "{case}: {}", case.description());
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn attempt(&self, case: DpopCase, method: &str, url: &str, good: &TokenBuilder) -> DpopAttempt {
        self.attempt_with(case, method, url, |thumbprint| {
            // A `jti` of its own, so that no two tokens of an attempt are the same.
            let token = good.clone().claim("jti", random_id());
            thumbprint.map_or(token.clone(), |thumbprint| token.bound_to_key(thumbprint)).sign()
        })
    }

    /// Mints a request of a case with tokens of any kind, such as opaque ones.
    ///
    /// `token` issues an access token: bound to the key of this thumbprint, or not bound at all.
    #[must_use]
    pub fn attempt_with(
        &self,
        case: DpopCase,
        method: &str,
        url: &str,
        token: impl Fn(Option<&str>) -> String,
    ) -> DpopAttempt {
        case.mint(&Scene { client: self, method, url, token: &token })
    }

    pub(super) fn now(&self) -> SystemTime {
        self.clock.as_ref().map_or_else(SystemTime::now, TestClock::now)
    }

    pub(super) fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }
}
