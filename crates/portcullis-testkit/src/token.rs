use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use crate::algorithm::Algorithm;
use crate::clock::numeric_date;
use crate::encoding::{base64url, random_id};
use crate::key::SigningKey;

/// The lifetime of a token, unless the test sets another.
pub(crate) const LIFETIME: Duration = Duration::from_secs(300);

/// A builder of JWT access tokens: a good token ([RFC 9068]) unless the test changes it.
///
/// The header has `alg`, `kid` and `typ: "at+jwt"`; the claims are `iss`, `sub: "alice"`,
/// `client_id: "test-client"`, `aud: "https://api.example.com"`, `iat`, `exp` 300 seconds
/// later and a unique `jti`. There is no `scope` and no `nbf`.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use portcullis_testkit::{Algorithm, SigningKey, TokenBuilder};
///
/// let key = SigningKey::generate(Algorithm::EdDSA, "my-key");
/// let stale = TokenBuilder::new(&key, "https://issuer.example.com", SystemTime::now())
///     .scope("read write")
///     .claim("tenant", 7)
///     .expired_for(Duration::from_secs(60))
///     .sign();
/// assert_eq!(stale.split('.').count(), 3);
/// ```
///
/// [RFC 9068]: https://www.rfc-editor.org/rfc/rfc9068
#[derive(Clone, Debug)]
pub struct TokenBuilder {
    key: SigningKey,
    algorithm: Algorithm,
    now: i64,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    raw_header: Option<Vec<u8>>,
    raw_payload: Option<Vec<u8>>,
}

impl TokenBuilder {
    /// Begins a good token, signed with `key` and issued at `now`, rounded down to a whole second.
    #[must_use]
    pub fn new(key: &SigningKey, issuer: &str, now: SystemTime) -> Self {
        Self::blank(key, now)
            .kid(key.kid())
            .typ("at+jwt")
            .issuer(issuer)
            .subject("alice")
            .claim("client_id", "test-client")
            .audience("https://api.example.com")
            .issued_at(now)
            .expires_in(LIFETIME)
            .claim("jti", random_id())
    }

    /// Begins a JWT without claims, whose header has `alg` only.
    pub(crate) fn blank(key: &SigningKey, now: SystemTime) -> Self {
        let blank = Self {
            key: key.clone(),
            algorithm: key.algorithm(),
            now: numeric_date(now),
            header: Map::new(),
            claims: Map::new(),
            raw_header: None,
            raw_payload: None,
        };
        blank.header("alg", key.algorithm().name())
    }

    /// Sets `sub`.
    #[must_use]
    pub fn subject(self, subject: impl Into<String>) -> Self {
        self.claim("sub", subject.into())
    }

    /// Sets `aud`: one string, or a list of them.
    #[must_use]
    pub fn audience(self, audience: impl Into<Value>) -> Self {
        self.claim("aud", audience)
    }

    /// Sets `iss`.
    #[must_use]
    pub fn issuer(self, issuer: impl Into<String>) -> Self {
        self.claim("iss", issuer.into())
    }

    /// Sets `scope`: values with one space between them.
    #[must_use]
    pub fn scope(self, scope: impl Into<String>) -> Self {
        self.claim("scope", scope.into())
    }

    /// Sets any claim to any JSON value.
    #[must_use]
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// Binds the token to a key: sets `cnf.jkt` to a JWK's thumbprint ([RFC 9449 section 6.1]).
    ///
    /// ```
    /// # use std::time::SystemTime;
    /// use portcullis_testkit::{Algorithm, DpopClient, SigningKey, TokenBuilder};
    ///
    /// # let key = SigningKey::generate(Algorithm::EdDSA, "my-key");
    /// let client = DpopClient::new(Algorithm::ES256);
    /// let token = TokenBuilder::new(&key, "https://issuer.example.com", SystemTime::now())
    ///     .bound_to_key(client.thumbprint())
    ///     .sign();
    /// ```
    ///
    /// [RFC 9449 section 6.1]: https://www.rfc-editor.org/rfc/rfc9449#section-6.1
    #[must_use]
    pub fn bound_to_key(self, thumbprint: impl Into<String>) -> Self {
        self.confirmation("jkt", thumbprint.into())
    }

    /// Binds the token to a certificate: sets `cnf["x5t#S256"]` to its thumbprint, SHA-256 of the DER in base64url
    /// ([RFC 8705 section 3.1]).
    ///
    /// A token can be bound to a key and a certificate at once.
    ///
    /// [RFC 8705 section 3.1]: https://www.rfc-editor.org/rfc/rfc8705#section-3.1
    #[must_use]
    pub fn bound_to_certificate(self, thumbprint: impl Into<String>) -> Self {
        self.confirmation("x5t#S256", thumbprint.into())
    }

    fn confirmation(mut self, member: &str, thumbprint: String) -> Self {
        let cnf = self.claims.entry("cnf").or_insert_with(|| Map::new().into());
        if !cnf.is_object() {
            *cnf = Map::new().into();
        }
        if let Some(members) = cnf.as_object_mut() {
            members.insert(member.to_owned(), thumbprint.into());
        }
        self
    }

    /// Leaves a claim out.
    #[must_use]
    pub fn without_claim(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Sets any header member to any JSON value; signing key and algorithm stay the same.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.header.insert(name.into(), value.into());
        self
    }

    /// Leaves a header member out.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// Sets the header's `typ`.
    #[must_use]
    pub fn typ(self, typ: impl Into<String>) -> Self {
        self.header("typ", typ.into())
    }

    /// Sets the header's `kid`; the signing key stays the same.
    #[must_use]
    pub fn kid(self, kid: impl Into<String>) -> Self {
        self.header("kid", kid.into())
    }

    /// Sets `exp` to this long after now, in whole seconds.
    #[must_use]
    pub fn expires_in(self, after: Duration) -> Self {
        let exp = self.numeric_date_in(after);
        self.claim("exp", exp)
    }

    /// Sets `exp` to this long before now, in whole seconds.
    #[must_use]
    pub fn expired_for(self, since: Duration) -> Self {
        let exp = self.now.saturating_sub(whole(since));
        self.claim("exp", exp)
    }

    /// Sets `nbf` to this long after now, in whole seconds.
    #[must_use]
    pub fn not_before_in(self, after: Duration) -> Self {
        let nbf = self.numeric_date_in(after);
        self.claim("nbf", nbf)
    }

    /// Sets `iat`, rounded down to a whole second; `exp` stays.
    #[must_use]
    pub fn issued_at(self, time: SystemTime) -> Self {
        self.claim("iat", numeric_date(time))
    }

    /// Signs with another algorithm of the key's family and names it in `alg`.
    ///
    /// [`sign`](Self::sign) panics when the key does not support it.
    #[must_use]
    pub fn signed_with(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self.header("alg", algorithm.name())
    }

    /// Replaces all claims by this text, valid or not.
    #[must_use]
    pub fn claims_json(self, raw: &str) -> Self {
        self.payload_bytes(raw.as_bytes().to_vec())
    }

    /// Replaces all claims by these bytes, valid or not.
    #[must_use]
    pub fn payload_bytes(mut self, bytes: Vec<u8>) -> Self {
        self.raw_payload = Some(bytes);
        self
    }

    /// Replaces all header members by this text, valid or not.
    #[must_use]
    pub fn header_json(mut self, raw: &str) -> Self {
        self.raw_header = Some(raw.as_bytes().to_vec());
        self
    }

    /// Signs, and returns the compact serialisation ([RFC 7515 section 7.1]).
    ///
    /// # Panics
    ///
    /// When the key does not support the algorithm that [`signed_with`](Self::signed_with) set.
    ///
    /// [RFC 7515 section 7.1]: https://www.rfc-editor.org/rfc/rfc7515#section-7.1
    #[must_use]
    pub fn sign(self) -> String {
        self.sign_segments(&base64url(self.header_text()), &base64url(self.payload()))
    }

    /// Signs two segments unchanged, for tokens with hostile encodings.
    pub(crate) fn sign_segments(&self, header: &str, payload: &str) -> String {
        let input = format!("{header}.{payload}");
        let signature = self.key.sign_with(self.algorithm, input.as_bytes());
        format!("{input}.{}", base64url(signature))
    }

    pub(crate) fn header_text(&self) -> Vec<u8> {
        bytes(self.raw_header.as_ref(), &self.header)
    }

    pub(crate) fn payload(&self) -> Vec<u8> {
        bytes(self.raw_payload.as_ref(), &self.claims)
    }

    /// Signs with another key; the header stays the same.
    pub(crate) fn forged_by(mut self, key: &SigningKey) -> Self {
        self.algorithm = key.algorithm();
        self.key = key.clone();
        self
    }

    /// Signs with another key and names it in the header.
    pub(crate) fn rekeyed(self, key: &SigningKey) -> Self {
        let token = self.forged_by(key).kid(key.kid());
        token.signed_with(key.algorithm())
    }

    pub(crate) fn key(&self) -> &SigningKey {
        &self.key
    }

    pub(crate) fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The date this long after the token's time of issue, in whole seconds.
    pub(crate) fn numeric_date_in(&self, after: Duration) -> i64 {
        self.now.saturating_add(whole(after))
    }

    /// Adds `claims`, which replace claims of the same names.
    pub(crate) fn merge(mut self, claims: Map<String, Value>) -> Self {
        self.claims.extend(claims);
        self
    }
}

/// The claims as a JSON object, for an unsigned token.
impl From<TokenBuilder> for Value {
    fn from(token: TokenBuilder) -> Self {
        Self::Object(token.claims)
    }
}

fn bytes(raw: Option<&Vec<u8>>, object: &Map<String, Value>) -> Vec<u8> {
    raw.cloned().unwrap_or_else(|| Value::Object(object.clone()).to_string().into_bytes())
}

fn whole(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
