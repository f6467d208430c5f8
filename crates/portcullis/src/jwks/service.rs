//! The keys of an issuer, for verifiers.

use std::{
    fmt,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{
    builder::JwksBuilder, endpoint::Place, fetch::FetchError, metadata::IssuerMetadata, refresher::Refresher,
    status::JwksStatus, tenants::Tenants,
};
use crate::{
    algorithm::Algorithm,
    clock::{Clock, SystemClock},
    configuration_error::ConfigurationError,
    keys::{
        self, Candidates, ImportRules, JwkSet, KeySet, KeySetId, Miss, Origin, Unreadable, VerificationKey,
        keys_from_pem, keys_from_text,
    },
    refusal::{Refusal, TokenFault, Unverified},
    token::Header,
};

/// The keys of an issuer: fetched from its JWKS endpoint and kept fresh, or held locally.
///
/// Clones share the keys. Fetches need a tokio runtime.
///
/// # Example
///
/// ```
/// use portcullis::JwksService;
///
/// let jwks = JwksService::new("https://myoauthserver.com/auth/jwks")?;
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[derive(Clone)]
pub struct JwksService(Source);

#[derive(Clone)]
enum Source {
    Local(Arc<KeySet>),
    Remote(Arc<Refresher>),
    /// A service for each tenant: this one has no keys.
    Tenants(Arc<Tenants>),
}

/// The result of a look at the keys.
pub(crate) enum Lookup {
    Found(Candidates),
    Refused(Refusal),
    /// Only a fetch can tell.
    MustWait,
}

/// The time of the next refresh.
pub(crate) enum Due {
    Never,
    At(SystemTime),
}

impl JwksService {
    /// The keys of this JWKS endpoint.
    ///
    /// Nothing is fetched yet: a service starts even while the authorization server is down.
    ///
    /// # Errors
    ///
    /// A [`ConfigurationError`] if the text is not a URL, or is neither https nor on this machine.
    pub fn new(uri: &str) -> Result<Self, ConfigurationError> {
        Self::builder(uri).build()
    }

    /// A builder for the keys of this JWKS endpoint.
    pub fn builder(uri: &str) -> JwksBuilder {
        JwksBuilder::for_uri(uri)
    }

    /// A builder for the keys of this issuer, whose metadata name the endpoint.
    ///
    /// The metadata are those of OpenID Connect Discovery, or else of RFC 8414; they have to name this issuer, to the
    /// letter.
    ///
    /// An issuer with a placeholder, as in `https://login.example.com/{tenant}`, has keys for each tenant, which are looked up when a
    /// token names it: see [`VerifierBuilder::tenant_claim`](crate::VerifierBuilder::tenant_claim).
    ///
    /// ```
    /// use portcullis::JwksService;
    ///
    /// let jwks = JwksService::discover("https://as.example.com").build()?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn discover(issuer: &str) -> JwksBuilder {
        JwksBuilder::for_issuer(issuer)
    }

    /// The keys of a JWK Set text from your own configuration (RFC 7517 section 5).
    ///
    /// `oct` keys are secrets for the HS algorithms, which a verifier has to allow by name. A key without `kid` is tried for
    /// tokens with any `kid`.
    ///
    /// # Errors
    ///
    /// A [`ConfigurationError`] if the text is not a JWK Set or has no usable key.
    pub fn from_json(text: &str) -> Result<Self, ConfigurationError> {
        let document: JwkSet = text.parse().map_err(ConfigurationError::NotAJwkSet)?;
        Self::local(KeySet::import(&document, &ImportRules::of(Origin::Local)))
    }

    /// The keys of a file: a JWK Set, one JWK, PEM as for [`from_pem`](Self::from_pem), or DER.
    ///
    /// # Errors
    ///
    /// A [`ConfigurationError`] if the file is unreadable, and as for [`from_text`](Self::from_text).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigurationError> {
        let path = path.as_ref();
        let text = std::fs::read(path).map_err(|source| ConfigurationError::File { path: path.to_owned(), source })?;
        Self::from_bytes(&text, &ImportRules::of(Origin::Local))
    }

    /// The keys of a text in any usual form: a JWK Set, one JWK, or PEM as for
    /// [`from_pem`](Self::from_pem).
    ///
    /// ```
    /// use portcullis::JwksService;
    ///
    /// let keycloak = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    /// assert!(JwksService::from_text(keycloak)?.ready());
    /// let error = JwksService::from_text("<!doctype html>").unwrap_err();
    /// assert!(error.to_string().contains("HTML"));
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A [`ConfigurationError`] if the text has another form, or no usable key.
    pub fn from_text(text: impl AsRef<[u8]>) -> Result<Self, ConfigurationError> {
        Self::from_bytes(text.as_ref(), &ImportRules::of(Origin::Local))
    }

    /// The same, accepting keys of these uses (`use`), too, as by [`JwksBuilder::key_uses`].
    ///
    /// # Errors
    ///
    /// As for [`from_text`](Self::from_text).
    pub fn from_text_for<T: Into<String>>(
        text: impl AsRef<[u8]>,
        key_uses: impl IntoIterator<Item = T>,
    ) -> Result<Self, ConfigurationError> {
        let uses = key_uses.into_iter().map(Into::into).collect();
        Self::from_bytes(text.as_ref(), &ImportRules { origin: Origin::Local, uses })
    }

    fn from_bytes(text: &[u8], rules: &ImportRules) -> Result<Self, ConfigurationError> {
        Self::local(keys_from_text(text, rules).map_err(|error| match error {
            Unreadable::NotAJwkSet(problem) => ConfigurationError::NotAJwkSet(problem),
            Unreadable::Key(problem) => ConfigurationError::Key(problem),
        })?)
    }

    /// The public keys of a PEM text: of each `PUBLIC KEY`, `RSA PUBLIC KEY` and `CERTIFICATE` section (RFC 7468 sections 5
    /// and 13), or of one such section's base64 alone, as Keycloak's console shows it.
    ///
    /// They are tried for tokens with any `kid`. Only the key of a certificate is used; its times and issuer are not checked.
    ///
    /// # Errors
    ///
    /// [`ConfigurationError::Key`] if there is no key, or one is private or of an unsupported type or size.
    pub fn from_pem(pem: &str) -> Result<Self, ConfigurationError> {
        let keys = keys_from_pem(pem.as_bytes()).map_err(ConfigurationError::Key)?;
        Self::local(KeySet::new(keys, Origin::Local))
    }

    /// A secret shared with the authorization server, for HS256, and if it is long enough for HS384 and HS512. The verifier
    /// has to allow the algorithm by name.
    ///
    /// ```
    /// use portcullis::{Algorithm, JwksService, Verifier};
    ///
    /// let keys = JwksService::from_secret(b"a secret of 32 random bytes or so")?;
    /// let verifier = Verifier::builder(keys)
    ///     .algorithms([Algorithm::HS256])
    ///     .issuer("https://as.example.com")
    ///     .audience("https://api.example.com")
    ///     .build()?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigurationError::Key`] if it is shorter than 32 bytes (RFC 7518 section 3.2), or a key itself: PEM, DER, a JWK. With a public
    /// key as a secret, everyone could sign.
    pub fn from_secret(secret: &[u8]) -> Result<Self, ConfigurationError> {
        let material = keys::secret(secret, Algorithm::SYMMETRIC).map_err(ConfigurationError::Key)?;
        Self::local(KeySet::new(vec![VerificationKey::new(None, material)], Origin::Local))
    }

    /// No keys at all: every token is refused, one without another fault by the code `unknown_key`.
    ///
    /// For servers that look up a key for each token, and check the rest of the token before.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use portcullis::{JwksService, Verifier};
    ///
    /// let nothing: Verifier = JwksService::empty().into();
    /// assert_eq!(nothing.verify("not a token").await.unwrap_err().code(), "malformed_token");
    /// # }
    /// ```
    #[must_use]
    pub fn empty() -> Self {
        Self(Source::Local(Arc::new(KeySet::new(Vec::new(), Origin::Local))))
    }

    /// Returns true if there are keys to verify with: a readiness probe.
    #[must_use]
    pub fn ready(&self) -> bool {
        match &self.0 {
            Source::Local(keys) => !keys.is_empty(),
            Source::Remote(refresher) => refresher.is_ready(),
            // Keys are fetched when a token names its tenant.
            Source::Tenants(_) => true,
        }
    }

    /// Fetches the keys if there are none yet, so that the first request need not wait.
    ///
    /// # Errors
    ///
    /// The reason why there are no keys; requests try again.
    pub async fn prefetch(&self) -> Result<(), JwksError> {
        if self.ready() {
            return Ok(());
        }
        let refreshed = self.refresh().await;
        // A set from the cache suffices, even if the endpoint fails.
        if self.ready() { Ok(()) } else { refreshed }
    }

    /// Fetches the keys now.
    ///
    /// # Errors
    ///
    /// The reason why the fetch failed; the keys at hand stay in use.
    pub async fn refresh(&self) -> Result<(), JwksError> {
        match &self.0 {
            Source::Local(_) => Ok(()),
            Source::Remote(refresher) => refresher.refresh().await.map_err(|error| JwksError::new(&error)),
            Source::Tenants(tenants) => tenants.refresh().await.map_err(|error| JwksError::new(&error)),
        }
    }

    /// The state of the service.
    #[must_use]
    pub fn status(&self) -> JwksStatus {
        match &self.0 {
            Source::Local(keys) => JwksStatus {
                keys: keys.kids().map(|kid| kid.map(str::to_owned)).collect(),
                skipped: keys.skipped().to_vec(),
                warnings: keys.warnings().to_vec(),
                ..JwksStatus::default()
            },
            Source::Remote(refresher) => refresher.status(),
            Source::Tenants(tenants) => tenants.status(),
        }
    }

    /// The key set that was fetched last, even if it has no usable key; none for local keys.
    ///
    /// ```
    /// use portcullis::JwksService;
    ///
    /// let jwks = JwksService::new("https://as.example.com/jwks")?;
    /// assert!(jwks.document().is_none(), "nothing was fetched yet");
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    #[must_use]
    pub fn document(&self) -> Option<JwkSet> {
        match &self.0 {
            Source::Local(_) | Source::Tenants(_) => None,
            Source::Remote(refresher) => refresher.document(),
        }
    }

    /// The issuer's metadata that led to the keys; none before a fetch, or without discovery.
    ///
    /// ```
    /// use portcullis::JwksService;
    ///
    /// let jwks = JwksService::discover("https://as.example.com").build()?;
    /// assert!(jwks.metadata().is_none(), "nothing was fetched yet");
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    #[must_use]
    pub fn metadata(&self) -> Option<Arc<IssuerMetadata>> {
        match &self.0 {
            Source::Local(_) | Source::Tenants(_) => None,
            Source::Remote(refresher) => refresher.metadata(),
        }
    }

    pub(super) fn remote(refresher: Arc<Refresher>) -> Self {
        Self(Source::Remote(refresher))
    }

    pub(super) fn of_tenants(tenants: Tenants) -> Self {
        Self(Source::Tenants(Arc::new(tenants)))
    }

    /// The algorithms of local keys, each once; none if the keys are fetched.
    pub(crate) fn local_algorithms(&self) -> Option<Vec<Algorithm>> {
        match &self.0 {
            Source::Local(keys) => Some(keys.algorithms()),
            Source::Remote(_) | Source::Tenants(_) => None,
        }
    }

    /// The issuer with a placeholder for the tenant, if each tenant has keys of its own.
    pub(crate) fn template(&self) -> Option<&str> {
        match &self.0 {
            Source::Tenants(tenants) => Some(tenants.template()),
            Source::Local(_) | Source::Remote(_) => None,
        }
    }

    /// The keys of a tenant by its issuer, which is one of the template, where each tenant has its own; a listed tenant needs no
    /// trial.
    pub(crate) fn of_tenant(&self, issuer: &str, is_listed: bool) -> Result<Option<Self>, Refusal> {
        let Source::Tenants(tenants) = &self.0 else { return Ok(None) };
        Ok(Some(Self::remote(tenants.service(issuer, is_listed)?)))
    }

    /// The same, if the tenant is kept.
    pub(crate) fn of_kept_tenant(&self, issuer: &str) -> Option<Self> {
        match &self.0 {
            Source::Tenants(tenants) => tenants.kept(issuer).map(Self::remote),
            Source::Local(_) | Source::Remote(_) => None,
        }
    }

    /// Keeps a tenant of which a token was accepted; tells whether this service of its keys is in use.
    pub(crate) fn keep_tenant(&self, tenant: &Self) -> bool {
        match (&self.0, &tenant.0) {
            (Source::Tenants(tenants), Source::Remote(service)) => tenants.keep(service),
            _ => false,
        }
    }

    /// The issuer by whose metadata the keys are found; none without discovery, and where each tenant has keys of its own.
    pub(crate) fn discovered_issuer(&self) -> Option<&str> {
        match &self.0 {
            Source::Local(_) | Source::Tenants(_) => None,
            Source::Remote(refresher) => refresher.discovered_issuer(),
        }
    }

    /// The token endpoint that the issuer's metadata name, for clients that authenticate by a certificate or for others.
    ///
    /// # Errors
    ///
    /// The reason why there is none, without credentials.
    pub(crate) async fn token_endpoint(&self, by_certificate: bool) -> Result<Place, String> {
        match &self.0 {
            Source::Local(_) | Source::Tenants(_) => Err("the keys are not found by an issuer's metadata".to_owned()),
            Source::Remote(refresher) => {
                refresher.token_endpoint(by_certificate).await.map_err(|error| error.to_string())
            }
        }
    }

    /// The same, if the metadata are known.
    pub(crate) fn known_token_endpoint(&self, by_certificate: bool) -> Option<Place> {
        match &self.0 {
            Source::Local(_) | Source::Tenants(_) => None,
            Source::Remote(refresher) => refresher.known_token_endpoint(by_certificate),
        }
    }

    fn local(keys: KeySet) -> Result<Self, ConfigurationError> {
        if keys.is_empty() {
            return Err(ConfigurationError::NoUsableKey { skipped: keys.skipped().to_vec() });
        }
        Ok(Self(Source::Local(Arc::new(keys))))
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        match &self.0 {
            Source::Local(_) => Arc::new(SystemClock),
            Source::Remote(refresher) => Arc::clone(refresher.clock()),
            Source::Tenants(tenants) => Arc::clone(tenants.clock()),
        }
    }

    /// The keys at hand for a token; none if only a fetch can tell. No fetch is started.
    pub(crate) fn peek(&self, header: &Header) -> Option<Result<Candidates, Refusal>> {
        let found = match &self.0 {
            Source::Local(keys) => keys.candidates(header),
            Source::Remote(refresher) => refresher.peek(header)?,
            Source::Tenants(_) => Err(Miss::Unknown),
        };
        Some(found.map_err(|miss| refusal(miss, header)))
    }

    /// The time since a key of this id was withdrawn, if that was recent; none if the set has it again.
    pub(crate) fn withdrawn(&self, kid: &str) -> Option<Duration> {
        match &self.0 {
            Source::Local(_) | Source::Tenants(_) => None,
            Source::Remote(refresher) => refresher.withdrawn(kid),
        }
    }

    /// The expected issuer, and the other one in its metadata, if that is the reason why there are no keys.
    pub(crate) fn other_issuer(&self) -> Option<(String, String)> {
        match &self.0 {
            Source::Local(_) | Source::Tenants(_) => None,
            Source::Remote(refresher) => refresher.other_issuer(),
        }
    }

    /// The time by this service's clock.
    pub(crate) fn now(&self) -> SystemTime {
        match &self.0 {
            Source::Local(_) => SystemClock.now(),
            Source::Remote(refresher) => refresher.clock().now(),
            Source::Tenants(tenants) => tenants.clock().now(),
        }
    }

    /// Looks for the keys that a token may be signed with, without waiting.
    ///
    /// `now` is by this service's own clock.
    pub(crate) fn lookup(&self, header: &Header, now: SystemTime) -> Lookup {
        let found = match &self.0 {
            Source::Local(keys) => Some(keys.candidates(header)),
            Source::Remote(refresher) => refresher.look_up(header, now),
            Source::Tenants(_) => Some(Err(Miss::Unknown)),
        };
        match found.map(|found| found.map_err(|miss| refusal(miss, header))) {
            Some(Ok(candidates)) => Lookup::Found(candidates),
            Some(Err(refusal)) => Lookup::Refused(refusal),
            None => Lookup::MustWait,
        }
    }

    /// Tells whether these are the keys in use, so that a verdict by them still holds.
    ///
    /// `now` is by this service's own clock. It never waits, and starts a due refresh.
    pub(crate) fn still_uses(&self, keys: KeySetId, now: SystemTime) -> bool {
        match &self.0 {
            Source::Local(current) => current.id() == keys,
            Source::Remote(refresher) => refresher.still_uses(keys, now),
            Source::Tenants(_) => false,
        }
    }

    /// The time at which these keys, if they are in use, are due for a refresh; none for other keys. Local keys never are, and of
    /// tenants' keys it is not told, since a tenant stays only while it is used.
    pub(crate) fn fresh_until(&self, keys: KeySetId) -> Option<Due> {
        match &self.0 {
            Source::Local(current) => (current.id() == keys).then_some(Due::Never),
            Source::Remote(refresher) => refresher.fresh_until(keys).map(Due::At),
            Source::Tenants(_) => None,
        }
    }

    /// Looks for the keys that a token may be signed with, and waits for a fetch that may help.
    pub(crate) async fn key(&self, header: &Header) -> Result<Candidates, Refusal> {
        let found = match &self.0 {
            Source::Local(keys) => keys.candidates(header),
            Source::Remote(refresher) => refresher.fetch_for(header).await?,
            Source::Tenants(_) => Err(Miss::Unknown),
        };
        found.map_err(|miss| refusal(miss, header))
    }
}

fn refusal(miss: Miss, header: &Header) -> Refusal {
    Refusal::Token(match miss {
        Miss::Unknown => TokenFault::UnknownKey { kid: header.kid.as_deref().map(Unverified::new) },
        Miss::Mismatch => TokenFault::KeyMismatch { algorithm: header.algorithm.name() },
        Miss::Skipped(problem) => TokenFault::UnusableKey { problem },
    })
}

impl fmt::Debug for JwksService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status();
        f.debug_struct("JwksService").field("source", &status.source).field("keys", &status.keys).finish()
    }
}

/// The reason why keys could not be fetched: for your log, not for a client.
///
/// # Example
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use portcullis::JwksService;
///
/// let unreachable = JwksService::new("http://127.0.0.1:1/jwks").expect("a URL on this machine");
/// let error = unreachable.prefetch().await.unwrap_err();
/// assert!(error.to_string().starts_with("the keys could not be fetched: "));
/// assert!(error.is_without_answer());
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct JwksError {
    problem: String,
    other_issuer: Option<String>,
    is_without_answer: bool,
}

impl JwksError {
    fn new(error: &FetchError) -> Self {
        let other_issuer = error.other_issuer().map(|(_, actual)| actual.to_owned());
        Self { problem: error.to_string(), other_issuer, is_without_answer: error.is_without_answer() }
    }

    /// Tells whether no server gave a whole answer: it is unreachable or too slow, or its name, port or certificate is wrong.
    #[must_use]
    pub fn is_without_answer(&self) -> bool {
        self.is_without_answer
    }

    /// The issuer that the metadata name in place of the expected one, if that is the reason; it is unchecked text.
    #[must_use]
    pub fn other_issuer(&self) -> Option<&str> {
        self.other_issuer.as_deref()
    }
}

impl fmt::Display for JwksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the keys could not be fetched: {}", self.problem)
    }
}

impl std::error::Error for JwksError {}
