//! The JWT path, end to end: [`Verifier`].
//!
//! A token is parsed, its issuer chosen, its header checked, its key looked up, its signature verified,
//! its claims checked; each step takes a type that only the step before can make. Opaque tokens take the path of
//! [`opaque`] if an introspector is configured.

mod algorithms;
mod branch;
mod builder;
mod explained;
mod issuers;
mod judge;
mod known_headers;
mod line;
mod opaque;
mod tenants;

pub(crate) use branch::Branch;
pub use builder::VerifierBuilder;
pub use line::Ground;
pub(crate) use line::{Verified, Verifying, Waiting};

use std::{fmt, sync::Arc, time::SystemTime};

use crate::{
    bearer::BearerToken,
    claims::VerifiedToken,
    configuration_error::ConfigurationError,
    epoch,
    introspection::Introspector,
    jwks::JwksService,
    refusal::{Refusal, TokenFault},
    token::{self, AnswerTime},
    token_cache::TokenCache,
};
use issuers::Issuers;
use judge::Judge;
use known_headers::KnownHeaders;
use opaque::Opaque;

/// Verifies access tokens: signature, times, issuer, audience, type.
///
/// Clones share keys and caches.
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
    /// The cache of this verifier alone: a verifier with other rules has another cache.
    ///
    /// Each token is kept with the keys and rules that judged it.
    cache: Option<TokenCache<Judge>>,
    /// The path of opaque tokens; without it they are malformed.
    opaque: Option<Arc<Opaque>>,
    max_token_bytes: usize,
}

/// The size of a verifier's cache of tokens.
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
    /// The number of tokens.
    pub tokens: usize,
    /// The estimated size of tokens and claims together, in bytes.
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
    /// any token signed with them, and warns of that once in the log.
    pub fn builder(jwks: JwksService) -> VerifierBuilder {
        VerifierBuilder::new(jwks)
    }

    /// A builder for a verifier that finds the issuer's keys by its metadata.
    ///
    /// No request is made until the first token, so that a service starts even while the issuer is down. To find a mistaken issuer at the
    /// start, fetch the keys with [`JwksService::prefetch`]:
    ///
    /// ```no_run
    /// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
    /// use portcullis::{JwksService, Verifier};
    ///
    /// let issuer = "https://as.example.com";
    /// let jwks = JwksService::discover(issuer).build()?;
    /// jwks.prefetch().await?; // an error if the issuer is unreachable, or has another name in its metadata
    /// let verifier = Verifier::builder(jwks).issuer(issuer).audience("https://api.example.com").build()?;
    /// # Ok(()) }
    /// ```
    ///
    /// An issuer is https, or on this machine. For plain http to another one, such as a container of Docker Compose, call
    /// [`dangerously_allow_http`](crate::JwksBuilder::dangerously_allow_http):
    ///
    /// ```
    /// use portcullis::{JwksService, Verifier};
    ///
    /// // The service `keycloak` of compose.yaml. An attacker in its network can sign tokens.
    /// let issuer = "http://keycloak:8080/realms/shop";
    /// assert!(Verifier::discover(issuer).is_err());
    /// let jwks = JwksService::discover(issuer).dangerously_allow_http().build()?;
    /// let verifier = Verifier::builder(jwks).issuer(issuer).audience("https://api.example.com").build()?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error of [`JwksBuilder::build`](crate::JwksBuilder::build); of an http URL [`ConfigurationError::Rule`].
    pub fn discover(issuer: &str) -> Result<VerifierBuilder, ConfigurationError> {
        let jwks = JwksService::discover(issuer).build().map_err(|error| match error {
            // A verifier's builder has no method that permits it.
            ConfigurationError::InsecureUrl { url } => ConfigurationError::rule(
                "issuer",
                format!(
                    "expected an https URL, got `{url}`: keys that are sent in the clear can be replaced on their way (http is fine \
                     to this machine; elsewhere \
                     `Verifier::builder(JwksService::discover(issuer).dangerously_allow_http().build()?).issuer(issuer)` permits it)"
                ),
            ),
            other => other,
        })?;
        Ok(Self::builder(jwks).issuer(issuer))
    }

    /// The strict verifier for JWT access tokens as RFC 9068 defines them.
    ///
    /// `typ` has to be `at+jwt`; `iss`, `exp`, `aud`, `sub`, `client_id`, `iat` and `jti` are required.
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
    /// `sub` has to be of the trust domain (`spiffe://example.org/…`); `aud` and `exp` are required, `iss` is optional.
    /// `typ` has to be `JWT`, `JOSE` or absent. The keys are those of the trust domain's bundle, whose `use` has to be allowed.
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
    /// A token's `iss` chooses the issuer, before anything in the token is trusted: the keys of one issuer
    /// never verify a token of another.
    ///
    /// # Errors
    ///
    /// A [`ConfigurationError`] if there is no issuer, one has no name, two have the same name, or two introspect; and as
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

    /// Verifies a bearer token outside of a layer: a compact JWS, without its scheme.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] of a token that is not accepted, or that could not be judged. A token that is bound to a key is refused,
    /// since there is no request to prove possession: judge the request by [`Secure::judge`](crate::Secure::judge).
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
        let verified = self.judge(token).await.token?;
        match verified.confirmation() {
            None => Ok(verified),
            Some(_) => Err(Refusal::Token(TokenFault::SenderConstrained)),
        }
    }

    /// Removes this token from the cache: its signature is verified again at the next request, or its authorization server is asked again,
    /// also if it was refused.
    ///
    /// This revokes nothing: a valid token still passes. To refuse a token before its expiry, add a rule of your own. The
    /// answer about an opaque token stays in a shared store.
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
        epoch::begin();
    }

    /// The number of cached JWTs, and their estimated size.
    #[must_use]
    pub fn token_cache_size(&self) -> TokenCacheSize {
        let (tokens, bytes) = self.0.cache.as_ref().map_or((0, 0), TokenCache::size);
        TokenCacheSize { tokens, bytes }
    }

    /// The number of cached opaque tokens, and their estimated size.
    #[must_use]
    pub fn opaque_cache_size(&self) -> TokenCacheSize {
        let (tokens, bytes) = self.0.opaque.as_ref().map_or((0, 0), |opaque| opaque.size());
        TokenCacheSize { tokens, bytes }
    }

    /// The path of opaque tokens, if this token is one, or a JWT that is introspected, and an introspector is configured.
    #[inline]
    fn opaque(&self, token: BearerToken<'_>) -> Option<&Arc<Opaque>> {
        self.0.opaque.as_ref().filter(|opaque| !token::is_jws(token) || opaque.takes_jwt(token, &self.0.issuers))
    }

    /// The length of the longest accepted token, in bytes.
    pub(crate) fn max_token_bytes(&self) -> usize {
        self.0.max_token_bytes
    }

    /// Has a verified token keep the bytes it was made from, for [`is_verdict_on`](Self::is_verdict_on).
    pub(crate) fn keep_shown_as(&self, verified: &VerifiedToken, token: BearerToken<'_>) {
        verified.keep_shown_as(|| match self.opaque(token) {
            Some(_) => crate::crypto::sha256(token.as_bytes()).as_slice().into(),
            None => token.as_bytes().into(),
        });
    }

    /// Tells whether the verified token was made from the bytes of this token.
    pub(crate) fn is_verdict_on(&self, verified: &VerifiedToken, token: BearerToken<'_>) -> bool {
        match self.opaque(token) {
            Some(_) => verified.was_shown_as(&crate::crypto::sha256(token.as_bytes())),
            None => verified.was_shown_as(token.as_bytes()),
        }
    }

    /// Tells whether this verifier's verdict on a token would be the same now: the times are right, the keys are in use, and the
    /// answer about an opaque token is not too old.
    pub(crate) fn upholds(&self, verified: &VerifiedToken) -> bool {
        self.upholds_until(verified, |answer| answer.until)
    }

    /// The same for a further layer of the request that the verdict was given for.
    pub(crate) fn upholds_within_request(&self, verified: &VerifiedToken) -> bool {
        self.upholds_until(verified, |answer| answer.same_request)
    }

    fn upholds_until(&self, verified: &VerifiedToken, end: impl FnOnce(AnswerTime) -> SystemTime) -> bool {
        let Some(branch) = self.0.issuers.of_rules(verified.rules()) else { return false };
        let counts = |until| branch.introspector.as_ref().is_none_or(|asked| asked.clock().now() < until);
        let is_upheld = match branch.jwks.template() {
            Some(_) => {
                let tenant = verified.claims().issuer().and_then(|issuer| branch.jwks.of_kept_tenant(issuer));
                tenant.is_some_and(|tenant| branch.upholds_by(&tenant, verified))
            }
            None => branch.upholds(verified),
        };
        is_upheld && verified.answer_time().map(end).is_none_or(counts)
    }

    /// The time until which this verifier's verdict on a token is the same, unless another [epoch](crate::epoch()) begins; none if it has
    /// to be asked each time.
    pub(crate) fn holds_until(&self, verified: &VerifiedToken) -> Option<SystemTime> {
        let branch = self.0.issuers.of_rules(verified.rules())?;
        let until = branch.holds_until(verified)?;
        let Some(answer) = verified.answer_time() else { return Some(until) };
        let counts = branch.introspector.as_ref().is_some_and(|asked| asked.clock().now() < answer.until);
        counts.then(|| answer.until.min(until))
    }

    /// The time by the clock of the token's issuer; none if the token is not one of this verifier's.
    pub(crate) fn now(&self, verified: &VerifiedToken) -> Option<SystemTime> {
        self.0.issuers.of_rules(verified.rules()).map(|branch| branch.clock.now())
    }

    /// The time by the clock of the first issuer, for facts that are not of a token.
    pub(crate) fn time(&self) -> SystemTime {
        self.0.issuers.first_clock().map_or_else(SystemTime::now, |clock| clock.now())
    }

    /// Tells whether the two are clones of one verifier, so that a verdict of one counts for the other.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A verifier that accepts any token that is signed with these keys by an asymmetric algorithm and whose times are right.
impl From<JwksService> for Verifier {
    fn from(jwks: JwksService) -> Self {
        VerifierBuilder::new(jwks).into_simple_verifier()
    }
}

/// A verifier that accepts every opaque token that this authorization server vouches for, and no JWT.
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
