//! Building a [`Verifier`].

use std::{sync::Arc, time::Duration};

use super::{Verifier, branch::Branch, issuers::Issuers, tenants::TenantHandle};
use crate::{
    algorithm::Algorithm,
    claims::{IssuerRules, TokenCacheRules},
    clock::Clock,
    configuration_error::ConfigurationError,
    introspection::Introspector,
    jwks::JwksService,
    telemetry,
};

/// Builds a [`Verifier`], or one issuer of [`Verifier::any_of`].
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
    pub(super) jwks: JwksService,
    clock: Option<ClockHandle>,
    pub(super) rules: IssuerRules,
    pub(super) introspector: Option<Introspector>,
    pub(super) tenants: Option<TenantHandle>,
    pub(super) with_any_keys: bool,
}

struct ClockHandle(Arc<dyn Clock>);

impl VerifierBuilder {
    pub(super) fn new(jwks: JwksService) -> Self {
        Self {
            jwks,
            clock: None,
            rules: IssuerRules::default(),
            introspector: None,
            tenants: None,
            with_any_keys: false,
        }
    }

    /// Takes all rules at once, for the issuer, its tokens and their cache, in place of those set so far.
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

    /// Accepts only tokens of this issuer: `iss` is required, and has to be equal to the letter.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.rules.issuer = Some(issuer.into());
        self.rules.trust_domain = None;
        self
    }

    /// Accepts only tokens of workloads of this SPIFFE trust domain, such as `example.org`: `sub` has to be
    /// `spiffe://example.org/…`. It replaces `iss`, which JWT-SVIDs need not have. `typ` has to be `JWT`, `JOSE` or absent,
    /// unless [`types`](Self::types) are set.
    ///
    /// It takes the place of [`issuer`](Self::issuer). [`Verifier::jwt_svid`] sets all rules for JWT-SVIDs.
    pub fn trust_domain(mut self, domain: &str) -> Self {
        self.rules.trust_domain = Some(domain.to_owned());
        self.rules.issuer = None;
        self
    }

    /// Accepts only tokens of these subjects: `sub` has to match one of them, in which `*` stands for any run of characters.
    ///
    /// ```
    /// use portcullis::Verifier;
    ///
    /// // Workflows of one organisation, on one branch.
    /// let verifier = Verifier::discover("https://token.actions.githubusercontent.com")?
    ///     .subjects(["repo:my-org/*:ref:refs/heads/main"])
    ///     .audience("https://api.example.com")
    ///     .build()?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn subjects<S: Into<String>>(mut self, subjects: impl IntoIterator<Item = S>) -> Self {
        self.rules.subjects = subjects.into_iter().map(Into::into).collect();
        self
    }

    /// Accepts only tokens for this audience; repeated calls add audiences, one of which a token has to name.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.rules.audience.push(audience.into());
        self
    }

    /// Accepts only these algorithms; by default all of [`Algorithm::ASYMMETRIC`].
    ///
    /// The HS algorithms have to be named here explicitly, and work with local secrets only
    /// ([`JwksService::from_secret`]).
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.rules.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Takes the scope from the first of these claims that the token has, each by its name or JSON Pointer (RFC 6901), in
    /// place of `scope` and `scp`.
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

    /// Refuses tokens with a longer lifetime, from `iat` to `exp`: a stolen token can be used for that long (RFC 6750
    /// section 5.3). Tokens without `iat` or `exp` are refused, too.
    pub fn max_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.rules.max_token_lifetime = Some(lifetime);
        self
    }

    /// Refuses tokens that were issued longer ago (`iat`), give or take the leeway, however long they are valid. Tokens without
    /// `iat` are refused, too.
    pub fn max_token_age(mut self, age: Duration) -> Self {
        self.rules.max_token_age = Some(age);
        self
    }

    /// The allowed difference between this machine's clock and the issuer's: 5 s by default, 5 min at most.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.rules.leeway = leeway;
        self
    }

    /// Accepts only these types of token (`typ`), ignoring case and an `application/` prefix; by default `JWT`, `at+jwt` and
    /// tokens without a type.
    ///
    /// With this list, tokens without a type pass only by [`or_no_type`](Self::or_no_type).
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

    /// Accepts tokens without `typ`, too: beside those of [`types`](Self::types), and of [`Verifier::rfc9068`].
    pub fn or_no_type(mut self) -> Self {
        self.rules.or_no_type = true;
        self
    }

    /// Accepts tokens without `exp`, which stay valid until their key is withdrawn.
    pub fn dangerously_accept_tokens_without_expiry(mut self) -> Self {
        self.rules.dangerously_accept_tokens_without_expiry = true;
        self
    }

    /// Accepts tokens that are bound to a key of their sender (`cnf`, RFC 7800), as if they were bearer tokens: a stolen one
    /// can be used, which their issuer wanted to prevent.
    ///
    /// For a server behind a proxy that checks the DPoP proof (RFC 9449) or the client certificate (RFC 8705). By default
    /// such a token is refused, with `sender_constrained_token`.
    pub fn dangerously_accept_sender_constrained_tokens(mut self) -> Self {
        self.rules.dangerously_accept_sender_constrained_tokens = true;
        self
    }

    /// Accepts tokens of at most this many bytes: 16 KiB by default. Of several issuers the largest limit counts.
    ///
    /// [`Secure::max_token_bytes`](crate::Secure::max_token_bytes) sets another for a layer.
    pub fn max_token_bytes(mut self, max: usize) -> Self {
        self.rules.max_token_bytes = Some(max);
        self
    }

    /// Judges times by this clock; by the clock of the key service by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(ClockHandle(Arc::new(clock)));
        self
    }

    /// Tries at most this many keys for a token without a key id (`kid`), of those for its algorithm: 16 by default, and
    /// at least one.
    ///
    /// Each attempt costs the verification of a signature, and anyone can send such tokens. A good token whose key comes
    /// later in the set is refused (`too_many_keys`).
    pub fn max_key_attempts(mut self, attempts: usize) -> Self {
        self.rules.max_key_attempts = attempts.max(1);
        self
    }

    /// Caches verified tokens in at most this many bytes: 32 MiB by default, about 10,000 tokens of 1 KB.
    ///
    /// The signature of a cached token is not verified again, as long as its bytes are the same, its times are right and
    /// its key is still published. Scope and claims are checked at each request.
    /// Several issuers ([`Verifier::any_of`]) share one cache of the largest size among theirs.
    pub fn token_cache_bytes(mut self, bytes: usize) -> Self {
        self.rules.token_cache = TokenCacheRules { bytes, off: false, ..self.rules.token_cache };
        self
    }

    /// Caches at most this many verified tokens: 100,000 by default, as far as the bytes allow.
    pub fn token_cache_tokens(mut self, tokens: usize) -> Self {
        self.rules.token_cache = TokenCacheRules { tokens, off: false, ..self.rules.token_cache };
        self
    }

    /// Caches no verified tokens: the signature is verified for each request.
    pub fn without_token_cache(mut self) -> Self {
        self.rules.token_cache.off = true;
        self
    }

    /// Builds the verifier even if its keys are for none of the [`algorithms`](Self::algorithms): its tokens are refused, in place of an
    /// error of [`build`](Self::build).
    ///
    /// For servers that look up a key for each token: the key may be another than was expected.
    ///
    /// ```
    /// use portcullis::{Algorithm, JwksService, Verifier};
    ///
    /// let looked_up = JwksService::from_secret(&[7; 32])?;
    /// let verifier = Verifier::builder(looked_up).algorithms([Algorithm::ES256]).with_any_keys().build()?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn with_any_keys(mut self) -> Self {
        self.with_any_keys = true;
        self
    }

    /// Has opaque tokens introspected: tokens that are not in the form of a signed JWT are sent to this issuer's server.
    ///
    /// The answers are judged by the rules of this issuer. Only one of several issuers may introspect, since an opaque
    /// token does not name its issuer.
    pub fn introspection(mut self, introspector: Introspector) -> Self {
        self.introspector = Some(introspector);
        self
    }

    /// Builds the verifier.
    ///
    /// # Errors
    ///
    /// A [`ConfigurationError`] if the rules cannot be met or contradict each other, see [`IssuerRules::check`]; or if no key is for
    /// one of the algorithms (see [`with_any_keys`](Self::with_any_keys)).
    ///
    /// ```
    /// use portcullis::{Algorithm, JwksService, Verifier};
    ///
    /// let builder = || -> Result<_, portcullis::ConfigurationError> {
    ///     Ok(Verifier::builder(JwksService::from_secret(b"a secret of 32 random bytes or so")?).issuer("https://as.example.com"))
    /// };
    /// let error = builder()?.build().unwrap_err();
    /// assert!(error.to_string().contains("name HS256"));
    /// let verifier = builder()?.algorithms([Algorithm::HS256]).audience("https://api.example.com").build()?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn build(self) -> Result<Verifier, ConfigurationError> {
        Ok(Verifier::of(Issuers::single(self.branch()?)))
    }

    /// The verifier by default rules, which are free of contradictions. Keys that are for none of the algorithms are logged.
    pub(super) fn into_simple_verifier(self) -> Verifier {
        if let Err(mistake) = self.check_algorithms() {
            telemetry::rule_mistaken(&mistake.to_string());
        }
        Verifier::of(Issuers::single(self.into_branch()))
    }

    /// Expects this audience, unless another one is expected.
    pub(crate) fn default_audience(&mut self, audience: &str) {
        if self.rules.audience.is_empty() {
            self.rules.audience.push(audience.to_owned());
        }
    }

    /// The issuers by the text of `iss`: of tenants those that are listed; none for a trust domain, which is no authorization
    /// server.
    pub(crate) fn issuer_names(&self) -> Vec<String> {
        match self.rules.template() {
            Some(template) => self.rules.tenants.iter().map(|tenant| template.issuer(tenant)).collect(),
            None => self.rules.issuer.iter().cloned().collect(),
        }
    }

    /// The same keys and rules for tokens that name one of these audiences, and are bound to no key.
    pub(crate) fn for_audiences<'a>(&self, audiences: impl Iterator<Item = &'a str>) -> Self {
        let rules = IssuerRules {
            audience: audiences.map(str::to_owned).collect(),
            dangerously_accept_sender_constrained_tokens: false,
            ..self.rules.clone()
        };
        let clock = self.clock.as_ref().map(|ClockHandle(clock)| ClockHandle(Arc::clone(clock)));
        let (jwks, introspector) = (self.jwks.clone(), self.introspector.clone());
        Self { jwks, clock, rules, introspector, tenants: None, with_any_keys: self.with_any_keys }
    }

    /// The source of the keys.
    pub(crate) fn keys(&self) -> JwksService {
        self.jwks.clone()
    }

    /// Tells whether opaque tokens are introspected.
    pub(crate) fn introspects(&self) -> bool {
        self.introspector.is_some()
    }

    /// The allowed difference between this machine's clock and the issuer's.
    pub(crate) fn allowed_leeway(&self) -> Duration {
        self.rules.leeway
    }

    /// The clock that times are judged by.
    pub(crate) fn chosen_clock(&self) -> Arc<dyn Clock> {
        self.clock.as_ref().map_or_else(|| self.jwks.clock(), |ClockHandle(clock)| Arc::clone(clock))
    }

    pub(super) fn rfc9068(mut self) -> Self {
        self.rules.rfc9068 = true;
        self
    }

    pub(super) fn branch(self) -> Result<Branch, ConfigurationError> {
        self.rules.check()?;
        self.check_tenants()?;
        self.check_algorithms()?;
        Ok(self.into_branch())
    }

    fn into_branch(self) -> Branch {
        let Self { jwks, clock, rules, introspector, tenants, with_any_keys: _ } = self;
        let source = jwks.status().source;
        telemetry::unchecked_claims(rules.issuer_name().as_deref(), !rules.audience.is_empty(), source.as_deref());
        let own_clock = clock.is_some();
        let clock = clock.map_or_else(|| jwks.clock(), |clock| clock.0);
        let (header, issuer) = (rules.header(), rules.issuer_name());
        let tenants = tenants.map(|TenantHandle(rule)| rule);
        Branch { jwks, clock, own_clock, header, issuer, rules: Arc::new(rules), tenants, introspector }
    }
}

impl std::fmt::Debug for ClockHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}
