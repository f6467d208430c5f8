//! The JWT path, end to end: [`Verifier`].
//!
//! A token is parsed, its issuer chosen, its header judged, its key looked up, its signature verified,
//! its claims judged; each step takes what only the one before can make. Tokens that are no JWTs take the way of
//! [`opaque`], if there is somebody to ask.

mod branch;
mod builder;
mod explained;
mod issuers;
mod known_headers;
mod line;
mod opaque;

pub(crate) use branch::Branch;
pub use builder::VerifierBuilder;
pub use line::Ground;
pub(crate) use line::{Verified, Verifying, Waiting};

use std::{
    fmt,
    sync::{Arc, Weak},
};

use crate::{
    bearer::BearerToken, claims::VerifiedToken, configuration_error::ConfigurationError, introspection::Introspector,
    jwks::JwksService, keys::KeySet, refusal::Refusal, token, token_cache::TokenCache,
};
use issuers::Issuers;
use known_headers::KnownHeaders;
use opaque::Opaque;

/// Verifies access tokens: signature, times, issuer, audience, type.
///
/// A clone is the same verifier.
///
/// # Example
///
/// ```
/// use portcullis::{Algorithm, JwksService, Verifier};
///
/// let jwks = JwksService::new("https://as.example.com/jwks")?;
/// let verifier = Verifier::builder(jwks)
///     .issuer("https://as.example.com")
///     .audience("https://api.example.com")
///     .algorithms([Algorithm::ES256, Algorithm::EdDSA])
///     .build()?;
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    issuers: Issuers,
    headers: KnownHeaders,
    /// Of this verifier alone: another configuration is another verifier, with nothing in its cache.
    cache: Option<TokenCache<Grounds>>,
    /// What becomes of tokens that are no JWTs; without it they are malformed.
    opaque: Option<Arc<Opaque>>,
    max_token_bytes: usize,
}

/// What the verdict on a token rests on.
struct Grounds {
    branch: Arc<Branch>,
    keys: Weak<KeySet>,
}

impl Grounds {
    /// Whether the verdict would be the same now: the keys are those in use, and the times are right.
    fn hold(&self, token: &VerifiedToken) -> bool {
        let now = self.branch.clock.now();
        self.branch.still_uses(&self.keys, now) && self.branch.rules.are_times_right(token.times(), now)
    }
}

/// How much a verifier keeps of the tokens that it has verified.
///
/// # Example
///
/// ```
/// use portcullis::{JwksService, Verifier};
///
/// let verifier: Verifier = JwksService::new("https://as.example.com/jwks")?.into();
/// assert_eq!(verifier.token_cache_size().tokens, 0);
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenCacheSize {
    /// How many tokens.
    pub tokens: usize,
    /// About how many bytes, tokens and claims together.
    pub bytes: usize,
}

impl Verifier {
    fn of(issuers: Issuers) -> Self {
        let cache = issuers.cache().map(TokenCache::new);
        let opaque = issuers.introspecting().map(|(introspector, branch)| Arc::new(Opaque::new(introspector, branch)));
        let max_token_bytes = issuers.max_token_bytes();
        Self(Arc::new(Inner { issuers, headers: KnownHeaders::new(), cache, opaque, max_token_bytes }))
    }

    /// A builder for a verifier with these keys.
    ///
    /// Without [`issuer`](VerifierBuilder::issuer) and [`audience`](VerifierBuilder::audience) it accepts
    /// any token that is signed with them, and says so once in the log.
    pub fn builder(jwks: JwksService) -> VerifierBuilder {
        VerifierBuilder::new(jwks)
    }

    /// A builder for a verifier with the keys that this issuer's metadata name.
    ///
    /// # Errors
    ///
    /// As [`JwksBuilder::build`](crate::JwksBuilder::build).
    pub fn discover(issuer: &str) -> Result<VerifierBuilder, ConfigurationError> {
        Ok(Self::builder(JwksService::discover(issuer).build()?).issuer(issuer))
    }

    /// The strict verifier for JWT access tokens as RFC 9068 defines them.
    ///
    /// `typ` has to be `at+jwt`; `iss`, `exp`, `aud`, `sub`, `client_id`, `iat` and `jti` have to be there.
    ///
    /// ```
    /// use portcullis::{JwksService, Verifier};
    ///
    /// let jwks = JwksService::new("https://as.example.com/jwks")?;
    /// let verifier = Verifier::rfc9068(jwks, "https://as.example.com", "https://api.example.com").build()?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn rfc9068(jwks: JwksService, issuer: &str, audience: &str) -> VerifierBuilder {
        Self::builder(jwks).issuer(issuer).audience(audience).rfc9068()
    }

    /// A verifier for JWT-SVIDs, the tokens of SPIFFE workloads.
    ///
    /// `sub` has to be of the trust domain (`spiffe://example.org/…`), `aud` and `exp` have to be there; `iss` need not be.
    /// `typ` is `JWT`, `JOSE` or left out. The keys are those of the trust domain's bundle, whose `use` has to be allowed.
    ///
    /// ```
    /// use portcullis::{JwksService, Verifier};
    ///
    /// let bundle = JwksService::builder("https://spire.example.org/bundle").key_uses(["jwt-svid"]).build()?;
    /// let verifier = Verifier::jwt_svid(bundle, "example.org", "https://api.example.org").build()?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn jwt_svid(jwks: JwksService, trust_domain: &str, audience: &str) -> VerifierBuilder {
        Self::builder(jwks).trust_domain(trust_domain).audience(audience)
    }

    /// One verifier for several issuers, each with its own keys and rules.
    ///
    /// A token's `iss` chooses whose, before anything of it is trusted: the keys of one issuer never
    /// verify a token of another.
    ///
    /// # Errors
    ///
    /// A [`ConfigurationError`] if there is none, one has no name, two have the same, or two introspect; and as
    /// for [`VerifierBuilder::build`].
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::Verifier;
    ///
    /// let verifier = Verifier::any_of([
    ///     Verifier::discover("https://login.example.com")?.audience("https://api.example.com"),
    ///     Verifier::discover("https://partner.example.org")?.audience("https://api.example.com"),
    /// ])?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn any_of(issuers: impl IntoIterator<Item = VerifierBuilder>) -> Result<Self, ConfigurationError> {
        let branches: Result<Vec<_>, _> = issuers.into_iter().map(VerifierBuilder::branch).collect();
        Ok(Self::of(Issuers::named(branches?)?))
    }

    /// Verifies a token outside of a layer: a compact JWS, without its scheme.
    ///
    /// # Errors
    ///
    /// A [`Refusal`], which says whose fault it is.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # async fn example(verifier: portcullis::Verifier, token: &str) {
    /// match verifier.verify(token).await {
    ///     Ok(token) => println!("{:?}", token.claims().subject()),
    ///     Err(refusal) => println!("{}: {refusal}", refusal.code()),
    /// }
    /// # }
    /// ```
    pub async fn verify(&self, token: &str) -> Result<VerifiedToken, Refusal> {
        let token = BearerToken::bare(token.as_bytes(), self.0.max_token_bytes)?;
        self.judge(token).await.token
    }

    /// Forgets what is known of this token: the next request with it has its signature verified anew.
    ///
    /// That is all: a token that is good stays good. To revoke one before its time, refuse it yourself. Of an opaque token
    /// only this verifier forgets the answer: a store that is shared still has it.
    ///
    /// # Example
    ///
    /// ```
    /// # fn example(verifier: portcullis::Verifier, token: &str) {
    /// verifier.invalidate(token);
    /// # }
    /// ```
    pub fn invalidate(&self, token: &str) {
        if let Some(opaque) = &self.0.opaque {
            opaque.forget(token.as_bytes());
        }
        if let Some(cache) = &self.0.cache {
            cache.forget(token.as_bytes());
        }
    }

    /// How many verified tokens are kept, and about how many bytes they take.
    #[must_use]
    pub fn token_cache_size(&self) -> TokenCacheSize {
        let (tokens, bytes) = self.0.cache.as_ref().map_or((0, 0), TokenCache::size);
        TokenCacheSize { tokens, bytes }
    }

    /// How many opaque tokens are kept that passed, and about how many bytes they take.
    #[must_use]
    pub fn opaque_cache_size(&self) -> TokenCacheSize {
        let (tokens, bytes) = self.0.opaque.as_ref().map_or((0, 0), |opaque| opaque.size());
        TokenCacheSize { tokens, bytes }
    }

    /// What judges this token, if it is not for us to read and there is somebody to ask.
    fn opaque(&self, token: BearerToken<'_>) -> Option<&Arc<Opaque>> {
        self.0.opaque.as_ref().filter(|_| !token::is_jws(token))
    }

    /// The longest token that is looked at, in bytes.
    pub(crate) fn max_token_bytes(&self) -> usize {
        self.0.max_token_bytes
    }

    /// Has a verified token keep what it was shown as, so that [`is_verdict_on`](Self::is_verdict_on) knows it again.
    pub(crate) fn keep_shown_as(&self, verified: &VerifiedToken, token: BearerToken<'_>) {
        verified.keep_shown_as(|| match self.opaque(token) {
            Some(_) => crate::crypto::sha256(token.as_bytes()).as_slice().into(),
            None => token.as_bytes().into(),
        });
    }

    /// Tells whether this verifier came to its verdict by the very bytes of this token.
    pub(crate) fn is_verdict_on(&self, verified: &VerifiedToken, token: BearerToken<'_>) -> bool {
        match self.opaque(token) {
            Some(_) => verified.was_shown_as(&crate::crypto::sha256(token.as_bytes())),
            None => verified.was_shown_as(token.as_bytes()),
        }
    }

    /// Whether the two are the same verifier, so that what one has verified the other need not.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The simple way: a verifier that accepts any token that is signed with these keys, as long as its
/// times are right.
impl From<JwksService> for Verifier {
    fn from(jwks: JwksService) -> Self {
        VerifierBuilder::new(jwks).into_simple_verifier()
    }
}

/// Every token that this authorization server vouches for; there are no keys to verify a JWT with.
impl From<Introspector> for Verifier {
    fn from(introspector: Introspector) -> Self {
        VerifierBuilder::new(JwksService::empty()).introspection(introspector).into_simple_verifier()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Verifier").field(&self.0.issuers).finish()
    }
}
