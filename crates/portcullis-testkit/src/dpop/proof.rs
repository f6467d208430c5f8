use std::time::SystemTime;

use serde_json::Value;

use crate::encoding::{random_id, sha256_base64url};
use crate::key::SigningKey;
use crate::token::TokenBuilder;

/// A builder of DPoP proofs ([RFC 9449 section 4.2]): a good proof unless the test changes it.
///
/// The header has `typ: "dpop+jwt"`, `alg` and the public `jwk`; the claims are `jti`, `htm`, `htu` without query and
/// fragment, and `iat`. Add `ath` with [`token`](Self::token).
///
/// ```
/// use portcullis_testkit::{Algorithm, DpopClient};
///
/// let client = DpopClient::new(Algorithm::ES256);
/// let proof = client.proof("GET", "https://api.example.com/notes?page=2").token("the-access-token").sign();
/// assert_eq!(proof.split('.').count(), 3);
/// ```
///
/// [RFC 9449 section 4.2]: https://www.rfc-editor.org/rfc/rfc9449#section-4.2
#[derive(Clone, Debug)]
pub struct ProofBuilder {
    jwt: TokenBuilder,
}

impl ProofBuilder {
    pub(super) fn new(key: &SigningKey, method: &str, url: &str, now: SystemTime) -> Self {
        let jwt = TokenBuilder::blank(key, now)
            .typ("dpop+jwt")
            .header("jwk", key.bare_jwk())
            .claim("jti", random_id())
            .claim("htm", method)
            .claim("htu", without_query(url))
            .issued_at(now);
        Self { jwt }
    }

    /// Sets `ath`: the SHA-256 hash of the access token in base64url.
    #[must_use]
    pub fn token(self, token: &str) -> Self {
        self.claim("ath", sha256_base64url(token.as_bytes()))
    }

    /// Sets `nonce` to a value of a `DPoP-Nonce` field.
    #[must_use]
    pub fn nonce(self, nonce: impl Into<String>) -> Self {
        self.claim("nonce", nonce.into())
    }

    /// Sets `iat`, rounded down to a whole second.
    #[must_use]
    pub fn issued_at(self, time: SystemTime) -> Self {
        Self { jwt: self.jwt.issued_at(time) }
    }

    /// Sets `jti`, which is otherwise unique.
    #[must_use]
    pub fn jti(self, jti: impl Into<String>) -> Self {
        self.claim("jti", jti.into())
    }

    /// Sets any claim to any JSON value.
    #[must_use]
    pub fn claim(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { jwt: self.jwt.claim(name, value) }
    }

    /// Leaves a claim out.
    #[must_use]
    pub fn without_claim(self, name: &str) -> Self {
        Self { jwt: self.jwt.without_claim(name) }
    }

    /// Sets any header member to any JSON value; signing key and algorithm stay the same.
    #[must_use]
    pub fn header(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { jwt: self.jwt.header(name, value) }
    }

    /// Leaves a header member out.
    #[must_use]
    pub fn without_header(self, name: &str) -> Self {
        Self { jwt: self.jwt.without_header(name) }
    }

    /// Signs with another key; the header's `jwk` and `alg` stay the same.
    #[must_use]
    pub fn signed_by(self, key: &SigningKey) -> Self {
        Self { jwt: self.jwt.forged_by(key) }
    }

    /// Signs, and returns the value of a `DPoP` field.
    #[must_use]
    pub fn sign(self) -> String {
        self.jwt.sign()
    }

    /// The proof as a JWT, for changes below its claims.
    pub(super) fn jwt(self) -> TokenBuilder {
        self.jwt
    }
}

/// The URL up to its query or fragment.
pub(super) fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}
