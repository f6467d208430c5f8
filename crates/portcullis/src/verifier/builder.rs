//! Building a [`Verifier`].

use std::{sync::Arc, time::Duration};

use super::{Verifier, branch::Branch, issuers::Issuers};
use crate::{
    algorithm::Algorithm,
    bearer::DEFAULT_MAX_TOKEN_BYTES,
    claims::{ClaimRules, RFC_9068_CLAIMS},
    clock::Clock,
    configuration_error::ConfigurationError,
    introspection::Introspector,
    jwks::JwksService,
    telemetry,
    token::{HeaderRules, Types},
    token_cache::Limits,
};

/// The longest leeway: a token may not outlive its `exp` by more.
const LONGEST_LEEWAY: Duration = Duration::from_secs(5 * 60);

/// The number of keys that are tried for a token that does not name its own: the cost of a made-up one.
const KEY_ATTEMPTS: usize = 16;

/// Builds a [`Verifier`]; also one issuer of [`Verifier::any_of`].
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use portcullis::{JwksService, Verifier};
///
/// let verifier = Verifier::builder(JwksService::new("https://as.example.com/jwks")?)
///     .issuer("https://as.example.com")
///     .audience("https://api.example.com")
///     .leeway(Duration::from_secs(30))
///     .build()?;
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct VerifierBuilder {
    jwks: JwksService,
    clock: Option<ClockHandle>,
    header: HeaderRules,
    claims: ClaimRules,
    key_attempts: usize,
    cache: Option<Limits>,
    introspector: Option<Introspector>,
    max_token_bytes: Option<usize>,
    or_no_type: bool,
}

struct ClockHandle(Arc<dyn Clock>);

impl VerifierBuilder {
    pub(super) fn new(jwks: JwksService) -> Self {
        let (header, claims) = (HeaderRules::default(), ClaimRules::default());
        let cache = Some(Limits::default());
        Self {
            jwks,
            clock: None,
            header,
            claims,
            key_attempts: KEY_ATTEMPTS,
            cache,
            introspector: None,
            max_token_bytes: None,
            or_no_type: false,
        }
    }

    /// Accepts only tokens of this issuer: `iss` has to be there and equal to the letter.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.claims.issuer = Some(issuer.into());
        self.claims.by_trust_domain = false;
        self
    }

    /// Accepts only tokens of workloads of this SPIFFE trust domain, such as `example.org`: `sub` has to be
    /// `spiffe://example.org/…`, which stands in for `iss`, as JWT-SVIDs need not have one.
    ///
    /// It takes the place of [`issuer`](Self::issuer). [`Verifier::jwt_svid`] does all that JWT-SVIDs need.
    pub fn trust_domain(mut self, domain: &str) -> Self {
        let domain = domain.strip_prefix("spiffe://").unwrap_or(domain);
        self.claims.issuer = Some(format!("spiffe://{}", domain.trim_end_matches('/')));
        self.claims.by_trust_domain = true;
        self
    }

    /// Accepts only tokens for this audience; called again, for any of them.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.claims.audiences.push(audience.into());
        self
    }

    /// Accepts only these algorithms; by default all of [`Algorithm::ASYMMETRIC`].
    ///
    /// The HS algorithms have to be named here, and work with local secrets only.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.header.algorithms = algorithms.into_iter().collect();
        self
    }

    /// How far this machine's clock and the issuer's may be apart: 5 s by default, 5 min at the most.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.claims.leeway = leeway;
        self
    }

    /// Accepts only these types of token (`typ`), without regard to case and to an `application/`
    /// prefix; by default `JWT`, `at+jwt` and none at all.
    ///
    /// A token of no type passes only if [`or_no_type`](Self::or_no_type) says so.
    ///
    /// ```
    /// use portcullis::{JwksService, Verifier};
    ///
    /// // JWT-SVIDs: the type may be `JWT`, `JOSE`, or left out.
    /// let bundle = JwksService::new("https://spire.example.com/bundle")?;
    /// let verifier = Verifier::builder(bundle).types(["JWT", "JOSE"]).or_no_type().audience("orders").build()?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn types<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.header.types = Types { accepted: types.into_iter().map(Into::into).collect(), absent: false };
        self
    }

    /// Accepts tokens without `typ`, too, whatever types are asked for: beside those of [`types`](Self::types), and of
    /// [`Verifier::rfc9068`].
    pub fn or_no_type(mut self) -> Self {
        self.or_no_type = true;
        self
    }

    /// Accepts tokens without `exp`, which stay good until their key is withdrawn.
    pub fn dangerously_accept_tokens_without_expiry(mut self) -> Self {
        self.claims.without_expiry = true;
        self
    }

    /// Accepts tokens that are bound to a key of their sender (`cnf`, RFC 7800), as if they were bearer tokens: whoever took
    /// one can use it, which their issuer wanted to prevent.
    ///
    /// For the time in which something in front of this server checks the DPoP proof (RFC 9449) or the client certificate
    /// (RFC 8705). By default such a token is refused, with `sender_constrained_token`.
    pub fn dangerously_accept_sender_constrained_tokens(mut self) -> Self {
        self.claims.unproven_senders = true;
        self
    }

    /// Looks at tokens of so many bytes at most: 16 KiB by default. Of several issuers the largest counts.
    ///
    /// [`Secure::max_token_bytes`](crate::Secure::max_token_bytes) sets another for a layer.
    pub fn max_token_bytes(mut self, max: usize) -> Self {
        self.max_token_bytes = Some(max);
        self
    }

    /// Judges times by this clock; by that of the key service by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(ClockHandle(Arc::new(clock)));
        self
    }

    /// Tries so many keys, of those for its algorithm, for a token that does not name its own (`kid`): 16 by default,
    /// and one at least.
    ///
    /// Each costs a signature, and anyone can send such tokens. A good token whose key comes later in the set is refused
    /// (`too_many_keys`).
    pub fn max_key_attempts(mut self, attempts: usize) -> Self {
        self.key_attempts = attempts.max(1);
        self
    }

    /// Keeps verified tokens in so many bytes at most: 32 MiB by default, about 10,000 tokens of 1 KB.
    ///
    /// A token that is kept passes without its signature being verified again, as long as it is the same to
    /// the byte, in its time, and its key is still published. What it may do is judged at each request.
    /// Several issuers ([`Verifier::any_of`]) share one cache of the largest size among theirs.
    pub fn token_cache_bytes(mut self, bytes: usize) -> Self {
        self.cache = Some(Limits { bytes, ..self.cache.unwrap_or_default() });
        self
    }

    /// Keeps so many verified tokens at most: 100,000 by default, as far as the bytes allow.
    pub fn token_cache_tokens(mut self, tokens: usize) -> Self {
        self.cache = Some(Limits { tokens, ..self.cache.unwrap_or_default() });
        self
    }

    /// Keeps no verified token: each request has the signature verified.
    pub fn without_token_cache(mut self) -> Self {
        self.cache = None;
        self
    }

    /// Has opaque tokens introspected: whatever is not in the form of a signed JWT is shown to this issuer's server.
    ///
    /// What it answers is judged by the rules of this issuer. One of several issuers may introspect, since an opaque token
    /// does not say whose it is.
    pub fn introspection(mut self, introspector: Introspector) -> Self {
        self.introspector = Some(introspector);
        self
    }

    /// Builds the verifier.
    ///
    /// # Errors
    ///
    /// A [`ConfigurationError`] if the leeway is longer than 5 min or no algorithm is allowed.
    pub fn build(self) -> Result<Verifier, ConfigurationError> {
        Ok(Verifier::of(Issuers::single(self.branch()?)))
    }

    /// Nothing was set, so nothing can be wrong.
    pub(super) fn into_simple_verifier(self) -> Verifier {
        Verifier::of(Issuers::single(self.into_branch()))
    }

    pub(super) fn strict(mut self) -> Self {
        self.claims.required = RFC_9068_CLAIMS;
        self.types(["at+jwt"])
    }

    pub(super) fn branch(self) -> Result<Branch, ConfigurationError> {
        if self.claims.leeway > LONGEST_LEEWAY {
            return Err(ConfigurationError::Leeway { leeway: self.claims.leeway });
        }
        if self.header.algorithms.is_empty() {
            return Err(ConfigurationError::NoAlgorithm);
        }
        Ok(self.into_branch())
    }

    fn into_branch(self) -> Branch {
        telemetry::unchecked_claims(self.claims.issuer.is_some(), !self.claims.audiences.is_empty());
        let own_clock = self.clock.is_some();
        let clock = self.clock.as_ref().map_or_else(|| self.jwks.clock(), |clock| Arc::clone(&clock.0));
        let max_token_bytes = self.max_token_bytes.unwrap_or(DEFAULT_MAX_TOKEN_BYTES);
        let Self { jwks, mut header, claims, key_attempts, cache, introspector, or_no_type, .. } = self;
        header.types.absent |= or_no_type;
        Branch { jwks, clock, own_clock, header, claims, key_attempts, cache, introspector, max_token_bytes }
    }
}

impl std::fmt::Debug for ClockHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}
