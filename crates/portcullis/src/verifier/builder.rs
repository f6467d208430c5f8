//! Building a [`Verifier`].

use std::{sync::Arc, time::Duration};

use super::{Verifier, branch::Branch, issuers::Issuers};
use crate::{
    algorithm::Algorithm,
    claims::{IssuerRules, TokenCacheRules},
    clock::Clock,
    configuration_error::ConfigurationError,
    introspection::Introspector,
    jwks::JwksService,
    telemetry,
};

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
    rules: IssuerRules,
    introspector: Option<Introspector>,
}

struct ClockHandle(Arc<dyn Clock>);

impl VerifierBuilder {
    pub(super) fn new(jwks: JwksService) -> Self {
        Self { jwks, clock: None, rules: IssuerRules::default(), introspector: None }
    }

    /// Takes rules as a whole, in the place of all that was set before: of the issuer, its tokens and their cache.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{IssuerRules, JwksService, Verifier};
    ///
    /// let mut rules = IssuerRules::default();
    /// rules.issuer = Some("https://as.example.com".to_owned());
    /// rules.audience = vec!["https://api.example.com".to_owned()];
    /// let verifier = Verifier::builder(JwksService::new("https://as.example.com/jwks")?).rules(rules).build()?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn rules(mut self, rules: IssuerRules) -> Self {
        self.rules = rules;
        self
    }

    /// Accepts only tokens of this issuer: `iss` has to be there and equal to the letter.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.rules.issuer = Some(issuer.into());
        self.rules.trust_domain = None;
        self
    }

    /// Accepts only tokens of workloads of this SPIFFE trust domain, such as `example.org`: `sub` has to be
    /// `spiffe://example.org/…`, which stands in for `iss`, as JWT-SVIDs need not have one. `typ` is `JWT`, `JOSE` or left out,
    /// unless [`types`](Self::types) says otherwise.
    ///
    /// It takes the place of [`issuer`](Self::issuer). [`Verifier::jwt_svid`] does all that JWT-SVIDs need.
    pub fn trust_domain(mut self, domain: &str) -> Self {
        self.rules.trust_domain = Some(domain.to_owned());
        self.rules.issuer = None;
        self
    }

    /// Accepts only tokens for this audience; called again, for any of them.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.rules.audience.push(audience.into());
        self
    }

    /// Accepts only these algorithms; by default all of [`Algorithm::ASYMMETRIC`].
    ///
    /// The HS algorithms have to be named here, and work with local secrets only.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.rules.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Takes the scope from the first of these claims that is there, each by its name or JSON Pointer (RFC 6901), in place of
    /// `scope` and `scp`.
    ///
    /// ```
    /// use portcullis::Verifier;
    ///
    /// // Auth0 puts the permissions of an API into `permissions`.
    /// let verifier = Verifier::discover("https://example.eu.auth0.com/")?.scope_claims(["permissions", "scope"]).build()?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn scope_claims<T: Into<String>>(mut self, claims: impl IntoIterator<Item = T>) -> Self {
        self.rules.scope_claims = claims.into_iter().map(Into::into).collect();
        self
    }

    /// Refuses tokens that are good for longer, from `iat` to `exp`: a stolen one is of use for that long (RFC 6750
    /// section 5.3). A token without either is refused, too.
    pub fn max_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.rules.max_token_lifetime = Some(lifetime);
        self
    }

    /// How far this machine's clock and the issuer's may be apart: 5 s by default, 5 min at the most.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.rules.leeway = leeway;
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
        self.rules.types = Some(types.into_iter().map(Into::into).collect());
        self
    }

    /// Accepts tokens without `typ`, too, whatever types are asked for: beside those of [`types`](Self::types), and of
    /// [`Verifier::rfc9068`].
    pub fn or_no_type(mut self) -> Self {
        self.rules.or_no_type = true;
        self
    }

    /// Accepts tokens without `exp`, which stay good until their key is withdrawn.
    pub fn dangerously_accept_tokens_without_expiry(mut self) -> Self {
        self.rules.dangerously_accept_tokens_without_expiry = true;
        self
    }

    /// Accepts tokens that are bound to a key of their sender (`cnf`, RFC 7800), as if they were bearer tokens: whoever took
    /// one can use it, which their issuer wanted to prevent.
    ///
    /// For the time in which something in front of this server checks the DPoP proof (RFC 9449) or the client certificate
    /// (RFC 8705). By default such a token is refused, with `sender_constrained_token`.
    pub fn dangerously_accept_sender_constrained_tokens(mut self) -> Self {
        self.rules.dangerously_accept_sender_constrained_tokens = true;
        self
    }

    /// Looks at tokens of so many bytes at most: 16 KiB by default. Of several issuers the largest counts.
    ///
    /// [`Secure::max_token_bytes`](crate::Secure::max_token_bytes) sets another for a layer.
    pub fn max_token_bytes(mut self, max: usize) -> Self {
        self.rules.max_token_bytes = Some(max);
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
        self.rules.max_key_attempts = attempts.max(1);
        self
    }

    /// Keeps verified tokens in so many bytes at most: 32 MiB by default, about 10,000 tokens of 1 KB.
    ///
    /// A token that is kept passes without its signature being verified again, as long as it is the same to
    /// the byte, in its time, and its key is still published. What it may do is judged at each request.
    /// Several issuers ([`Verifier::any_of`]) share one cache of the largest size among theirs.
    pub fn token_cache_bytes(mut self, bytes: usize) -> Self {
        self.rules.token_cache = TokenCacheRules { bytes, off: false, ..self.rules.token_cache };
        self
    }

    /// Keeps so many verified tokens at most: 100,000 by default, as far as the bytes allow.
    pub fn token_cache_tokens(mut self, tokens: usize) -> Self {
        self.rules.token_cache = TokenCacheRules { tokens, off: false, ..self.rules.token_cache };
        self
    }

    /// Keeps no verified token: each request has the signature verified.
    pub fn without_token_cache(mut self) -> Self {
        self.rules.token_cache.off = true;
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
    /// A [`ConfigurationError`] if the rules cannot be met or contradict each other: [`IssuerRules::check`].
    pub fn build(self) -> Result<Verifier, ConfigurationError> {
        Ok(Verifier::of(Issuers::single(self.branch()?)))
    }

    /// Nothing was set, so nothing can be wrong.
    pub(super) fn into_simple_verifier(self) -> Verifier {
        Verifier::of(Issuers::single(self.into_branch()))
    }

    pub(super) fn rfc9068(mut self) -> Self {
        self.rules.rfc9068 = true;
        self
    }

    pub(super) fn branch(self) -> Result<Branch, ConfigurationError> {
        self.rules.check()?;
        Ok(self.into_branch())
    }

    fn into_branch(self) -> Branch {
        let Self { jwks, clock, rules, introspector } = self;
        let is_any = rules.issuer.is_none() && rules.trust_domain.is_none();
        telemetry::unchecked_claims(!is_any, !rules.audience.is_empty());
        let own_clock = clock.is_some();
        let clock = clock.map_or_else(|| jwks.clock(), |clock| clock.0);
        let (header, issuer) = (rules.header(), rules.issuer_name());
        Branch { jwks, clock, own_clock, header, issuer, rules: Arc::new(rules), introspector }
    }
}

impl std::fmt::Debug for ClockHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}
