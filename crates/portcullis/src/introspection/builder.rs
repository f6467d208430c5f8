//! The builder of an [`Introspector`].

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{Inner, IntrospectedJwts, IntrospectedTokens, IntrospectionForm, Introspector, Settings};
use crate::{
    client_authentication::ClientAuthentication,
    clock::Clock,
    configuration_error::ConfigurationError,
    questions::{EndpointBuilder, Purpose, Source, TokenStore},
    token_cache::Limits,
    transport::{Authorities, HttpClient, Transport},
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
    endpoint: EndpointBuilder,
    tokens: IntrospectedTokens,
    settings: Settings,
}

impl IntrospectorBuilder {
    pub(super) fn new(endpoint: &str, client: ClientAuthentication) -> Self {
        Self {
            endpoint: EndpointBuilder::new(Purpose::Introspection, Source::Url(endpoint.to_owned()), client),
            tokens: IntrospectedTokens::default(),
            settings: Settings {
                form: IntrospectionForm::default(),
                jwts: IntrospectedJwts::None,
                max_answer_age: Duration::from_secs(60),
                longest: Duration::from_secs(60),
                refused_for: Duration::from_secs(5),
                most_refused: 4096,
                cache: Limits { bytes: 16 << 20, ..Limits::default() },
            },
        }
    }

    /// The form of the server's answers: JSON by default.
    pub fn form(mut self, form: IntrospectionForm) -> Self {
        self.settings.form = form;
        self
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
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.endpoint.http = Some(Arc::new(client));
        self
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
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.endpoint.authorities = Authorities::AndOfFile(path.into());
        self
    }

    /// The same, from PEM text.
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.endpoint.authorities = Authorities::AndOfPem(pem.into());
        self
    }

    /// Measures times by this clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.endpoint.clock = Arc::new(clock);
        self
    }

    /// The time limit of a question from start to end, 3 s by default.
    ///
    /// The wait for a turn before it ([`max_questions`](Self::max_questions)) has the same limit.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.endpoint.timeout = timeout;
        self
    }

    /// Asks at most this many questions at once: 64 by default, and at least 1; others wait for their turn.
    ///
    /// A client with a known address ([`ClientAddress`](crate::ClientAddress)) holds no more turns than it leaves to others.
    pub fn max_questions(mut self, questions: usize) -> Self {
        self.endpoint.max_questions = questions;
        self
    }

    /// The size of the largest accepted answer, in bytes: 256 KiB by default.
    pub fn max_answer_bytes(mut self, bytes: usize) -> Self {
        self.endpoint.max_answer_bytes = bytes;
        self
    }

    /// Accepts signed answers ([`IntrospectionForm::Jwt`]) of at most this age, by their `iat`: 1 min by default, plus the
    /// verifier's leeway.
    ///
    /// It keeps recorded answers from being replayed.
    pub fn max_answer_age(mut self, age: Duration) -> Self {
        self.settings.max_answer_age = age;
        self
    }

    /// The longest time for which an answer is kept, 1 min by default: a revoked token may still pass for that long.
    ///
    /// The token's `exp` and a `Cache-Control: max-age` of the answer shorten it; with zero no answer is kept.
    pub fn keep_for(mut self, longest: Duration) -> Self {
        self.settings.longest = longest.min(A_YEAR);
        self
    }

    /// The time for which a refusal is remembered, 5 s by default.
    pub fn remember_refusals_for(mut self, time: Duration) -> Self {
        self.settings.refused_for = time;
        self
    }

    /// Remembers at most this many refused tokens, the latest ones: 4,096 by default, of about 200 bytes each.
    pub fn remember_refusals(mut self, tokens: usize) -> Self {
        self.settings.most_refused = tokens;
        self
    }

    /// Caches accepted tokens in at most this many bytes, 16 MiB by default.
    pub fn cache_bytes(mut self, bytes: usize) -> Self {
        self.settings.cache = Limits { bytes, ..self.settings.cache };
        self
    }

    /// Shares answers with other processes that have the same store and the same secret, of 32 bytes or more.
    ///
    /// Only answers to the same question are shared: endpoint (with its query), form, client and its authentication,
    /// issuer, audiences, algorithms and token types. A process with another configuration has entries of its own.
    pub fn store(mut self, store: impl TokenStore, secret: &[u8]) -> Self {
        self.endpoint.share_in(store, secret);
        self
    }

    /// The audience of a client assertion (`aud`): the endpoint's URL by default; many servers expect their issuer identifier.
    pub fn assertion_audience(mut self, audience: impl Into<String>) -> Self {
        self.endpoint.assertion_audience = Some(audience.into());
        self
    }

    /// Asks over plain http on other machines, too: an attacker on the network can then read tokens and forge answers.
    pub fn dangerously_allow_http(mut self) -> Self {
        self.endpoint.transport = Transport::AnyHttp;
        self
    }

    /// Builds the introspector. It asks nothing yet.
    ///
    /// # Errors
    ///
    /// A [`ConfigurationError`] if the URL is malformed, or is neither https nor on this machine, if the secret of the store is
    /// too short, if a rule for introspected JWTs has a mistake, or if the HTTP client cannot be built.
    pub fn build(self) -> Result<Introspector, ConfigurationError> {
        let (endpoint, settings) = (self.endpoint.build()?, Settings { jwts: self.tokens.ready()?, ..self.settings });
        Ok(Introspector(Arc::new(Inner { endpoint, settings, oddity: Mutex::new(None) })))
    }
}

impl std::fmt::Debug for IntrospectorBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IntrospectorBuilder").finish_non_exhaustive()
    }
}
