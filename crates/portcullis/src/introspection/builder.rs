//! The builder of an [`Introspector`].

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{
    Inner, IntrospectedTokens, IntrospectionForm, Introspector, Settings, TokenStore,
    door::Door,
    store::{AnyTokenStore, SealedStore},
    turns::Turns,
};
use crate::{
    client_authentication::ClientAuthentication,
    clock::{Clock, SystemClock},
    configuration_error::ConfigurationError,
    crypto::MacKey,
    loopback::is_this_machine,
    token_cache::Limits,
    transport::{AnyHttpClient, Authorities, HttpClient, Transport},
};

/// A bound for times from the builder, short enough to be added to any time.
const A_YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Builds an [`Introspector`].
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use portcullis::{ClientAuthentication, IntrospectionForm, Introspector};
///
/// let client = ClientAuthentication::basic("my-api", "secret");
/// let introspector = Introspector::builder("https://as.example.com/introspect", client)
///     .form(IntrospectionForm::Phantom)
///     .keep_for(Duration::from_secs(30))
///     .build()?;
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct IntrospectorBuilder {
    endpoint: String,
    client: ClientAuthentication,
    transport: Transport,
    form: IntrospectionForm,
    tokens: IntrospectedTokens,
    assertion_audience: Option<String>,
    http: Option<Arc<dyn AnyHttpClient>>,
    authorities: Authorities,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    max_questions: usize,
    max_answer_bytes: usize,
    max_answer_age: Duration,
    longest: Duration,
    refused_for: Duration,
    most_refused: usize,
    cache: Limits,
    store: Option<(Box<dyn AnyTokenStore>, Option<MacKey>)>,
}

impl IntrospectorBuilder {
    pub(super) fn new(endpoint: &str, client: ClientAuthentication) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            client,
            transport: Transport::Secure,
            form: IntrospectionForm::default(),
            tokens: IntrospectedTokens::default(),
            assertion_audience: None,
            http: None,
            authorities: Authorities::Machine,
            clock: Arc::new(SystemClock),
            timeout: Duration::from_secs(3),
            max_questions: 64,
            max_answer_bytes: 256 << 10,
            max_answer_age: Duration::from_secs(60),
            longest: Duration::from_secs(60),
            refused_for: Duration::from_secs(5),
            most_refused: 4096,
            cache: Limits { bytes: 16 << 20, ..Limits::default() },
            store: None,
        }
    }

    /// The form of the server's answers: JSON by default.
    pub fn form(self, form: IntrospectionForm) -> Self {
        Self { form, ..self }
    }

    /// Introspects these tokens: by default those that are no JWTs.
    ///
    /// For JWTs that only their server can judge: without their claims, as Keycloak's lightweight tokens, or signed for others, as those
    /// of Okta's org server; or for JWTs that can be revoked.
    ///
    /// ```
    /// use portcullis::{ClientAuthentication, IntrospectedTokens, Introspector};
    ///
    /// let client = ClientAuthentication::basic("my-api", "secret");
    /// let introspector = Introspector::builder("https://as.example.com/introspect", client)
    ///     .introspect(IntrospectedTokens::All)
    ///     .build()?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn introspect(self, tokens: IntrospectedTokens) -> Self {
        Self { tokens, ..self }
    }

    /// Asks with this client; with [`ReqwestClient`](crate::ReqwestClient) by default.
    pub fn http_client(self, client: impl HttpClient) -> Self {
        Self { http: Some(Arc::new(client)), ..self }
    }

    /// Trusts the certificate authorities of this file, PEM, beside the machine's own.
    ///
    /// This is for the default client: configure a client of your own yourself.
    ///
    /// ```no_run
    /// use portcullis::{ClientAuthentication, Introspector};
    ///
    /// let client = ClientAuthentication::basic("my-api", "secret");
    /// let introspector =
    ///     Introspector::builder("https://login.internal/introspect", client).ca_file("/etc/ssl/internal.pem").build()?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn ca_file(self, path: impl Into<PathBuf>) -> Self {
        Self { authorities: Authorities::AndOfFile(path.into()), ..self }
    }

    /// The same, from PEM text.
    pub fn ca_pem(self, pem: impl Into<Vec<u8>>) -> Self {
        Self { authorities: Authorities::AndOfPem(pem.into()), ..self }
    }

    /// Measures times by this clock.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// The time limit of a question from start to end, 3 s by default.
    ///
    /// The wait for a turn before it ([`max_questions`](Self::max_questions)) has the same limit.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Asks at most this many questions at once: 64 by default, and at least 1; others wait for their turn.
    ///
    /// A client with a known address ([`ClientAddress`](crate::ClientAddress)) holds no more turns than it leaves to others.
    pub fn max_questions(self, questions: usize) -> Self {
        Self { max_questions: questions.max(1), ..self }
    }

    /// The size of the largest accepted answer, in bytes: 256 KiB by default.
    pub fn max_answer_bytes(self, bytes: usize) -> Self {
        Self { max_answer_bytes: bytes, ..self }
    }

    /// Accepts signed answers ([`IntrospectionForm::Jwt`]) of at most this age, by their `iat`: 1 min by default, plus the
    /// verifier's leeway.
    ///
    /// It keeps recorded answers from being replayed.
    pub fn max_answer_age(self, age: Duration) -> Self {
        Self { max_answer_age: age, ..self }
    }

    /// The longest time for which an answer is kept, 1 min by default: a revoked token may still pass for that long.
    ///
    /// The token's `exp` and a `Cache-Control: max-age` of the answer shorten it; with zero no answer is kept.
    pub fn keep_for(self, longest: Duration) -> Self {
        Self { longest: longest.min(A_YEAR), ..self }
    }

    /// The time for which a refusal is remembered, 5 s by default.
    pub fn remember_refusals_for(self, time: Duration) -> Self {
        Self { refused_for: time, ..self }
    }

    /// Remembers at most this many refused tokens, the latest ones: 4,096 by default, of about 200 bytes each.
    pub fn remember_refusals(self, tokens: usize) -> Self {
        Self { most_refused: tokens, ..self }
    }

    /// Caches accepted tokens in at most this many bytes, 16 MiB by default.
    pub fn cache_bytes(self, bytes: usize) -> Self {
        Self { cache: Limits { bytes, ..self.cache }, ..self }
    }

    /// Shares answers with other processes that have the same store and the same secret, of 32 bytes or more.
    ///
    /// Only answers to the same question are shared: endpoint (with its query), form, client and its authentication,
    /// issuer, audiences, algorithms and token types. A process with another configuration has entries of its own.
    pub fn store(self, store: impl TokenStore, secret: &[u8]) -> Self {
        Self { store: Some((Box::new(store), MacKey::new(secret))), ..self }
    }

    /// The audience of a client assertion (`aud`): the endpoint's URL by default; many servers expect their issuer identifier.
    pub fn assertion_audience(self, audience: impl Into<String>) -> Self {
        Self { assertion_audience: Some(audience.into()), ..self }
    }

    /// Asks over plain http on other machines, too: an attacker on the network can then read tokens and forge answers.
    pub fn dangerously_allow_http(self) -> Self {
        Self { transport: Transport::AnyHttp, ..self }
    }

    /// Builds the introspector. It asks nothing yet.
    ///
    /// # Errors
    ///
    /// A [`ConfigurationError`] if the URL is malformed, or is neither https nor on this machine, if the secret of the store is
    /// too short, if a rule for introspected JWTs has a mistake, or if the HTTP client cannot be built.
    pub fn build(self) -> Result<Introspector, ConfigurationError> {
        let endpoint = self.transport.url(&self.endpoint)?;
        let http = self.authorities.client(self.http, is_this_machine(&endpoint))?;
        let store = match self.store {
            Some((store, Some(key))) => Some(SealedStore::new(store, key)),
            Some((_, None)) => return Err(ConfigurationError::ShortStoreSecret),
            None => None,
        };
        let settings = Settings {
            assertion_audience: self.assertion_audience.unwrap_or_else(|| endpoint.to_string()),
            endpoint,
            client: self.client,
            form: self.form,
            jwts: self.tokens.ready()?,
            http,
            clock: self.clock,
            timeout: self.timeout,
            max_answer_bytes: self.max_answer_bytes,
            max_answer_age: self.max_answer_age,
            longest: self.longest,
            refused_for: self.refused_for,
            most_refused: self.most_refused,
            cache: self.cache,
            store,
        };
        Ok(Introspector(Arc::new(Inner {
            settings,
            door: Mutex::new(Door::default()),
            last_error: Mutex::new(None),
            oddity: Mutex::new(None),
            turns: Turns::new(self.max_questions),
        })))
    }
}

impl std::fmt::Debug for IntrospectorBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IntrospectorBuilder").finish_non_exhaustive()
    }
}
