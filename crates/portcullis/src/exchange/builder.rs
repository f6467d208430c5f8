//! The builder of an [`Exchanger`].

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{Exchanger, Inner, Settings, kept::Kept};
use crate::{
    client_authentication::ClientAuthentication,
    clock::Clock,
    configuration_error::ConfigurationError,
    questions::{EndpointBuilder, Purpose, Source, TokenStore},
    transport::{Authorities, HttpClient, Transport},
    verifier::VerifierBuilder,
};

/// A bound for times from the builder, short enough to be added to any time.
const A_YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Builds an [`Exchanger`].
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use portcullis::{ClientAuthentication, Exchanger, JwksService, Verifier};
///
/// let issuer = Verifier::builder(JwksService::new("https://as.example.com/jwks")?).issuer("https://as.example.com");
/// let client = ClientAuthentication::basic("orders-api", "secret");
/// let exchanger = Exchanger::builder("https://as.example.com/token", client, issuer)
///     .timeout(Duration::from_secs(2))
///     .keep_for(Duration::from_secs(60))
///     .build()?;
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct ExchangerBuilder {
    endpoint: EndpointBuilder,
    issuer: VerifierBuilder,
    settings: Settings,
}

impl ExchangerBuilder {
    pub(super) fn new(source: Source, client: ClientAuthentication, issuer: VerifierBuilder) -> Self {
        let mut endpoint = EndpointBuilder::new(Purpose::Exchange, source, client);
        endpoint.clock = issuer.chosen_clock();
        Self {
            endpoint,
            issuer,
            settings: Settings {
                subject_issuers: Vec::new(),
                may_outlive: Duration::ZERO,
                refused_for: Duration::from_secs(5),
                longest: A_YEAR,
                cache_bytes: 16 << 20,
                dangerously_accept_unverified: false,
                dangerously_accept_other_subjects: false,
            },
        }
    }

    /// Exchanges tokens of this issuer, too, beside those of the issuer of exchanged tokens: the server gets to see them, and has to
    /// be trusted with them.
    pub fn subject_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.settings.subject_issuers.push(issuer.into());
        self
    }

    /// Asks with this client; with [`ReqwestClient`](crate::ReqwestClient) by default.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.endpoint.http = Some(Arc::new(client));
        self
    }

    /// Trusts the certificate authorities of this file, PEM, beside the machine's own.
    ///
    /// This is for the default client: configure a client of your own yourself.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.endpoint.authorities = Authorities::AndOfFile(path.into());
        self
    }

    /// The same, from PEM text.
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.endpoint.authorities = Authorities::AndOfPem(pem.into());
        self
    }

    /// Measures times by this clock; by that of the rules for exchanged tokens by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.endpoint.clock = Arc::new(clock);
        self
    }

    /// The time limit of an exchange from start to end, 3 s by default.
    ///
    /// The wait for a turn before it ([`max_questions`](Self::max_questions)) has the same limit.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.endpoint.timeout = timeout;
        self
    }

    /// Asks for at most this many tokens at once: 64 by default, and at least 1; others wait for their turn.
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

    /// The longest time for which an exchanged token is kept. By default it is kept until it or the client's token expires.
    pub fn keep_for(mut self, longest: Duration) -> Self {
        self.settings.longest = longest.min(A_YEAR);
        self
    }

    /// The time for which a refusal of the server's is remembered, 5 s by default.
    pub fn remember_refusals_for(mut self, time: Duration) -> Self {
        self.settings.refused_for = time;
        self
    }

    /// Keeps exchanged tokens in at most this many bytes, 16 MiB by default.
    pub fn cache_bytes(mut self, bytes: usize) -> Self {
        self.settings.cache_bytes = bytes;
        self
    }

    /// Accepts exchanged tokens that expire so much later than the client's token; not at all by default, give or take the leeway.
    ///
    /// Some servers, such as Keycloak, give each token its full lifetime: name that lifetime here. A token is handed on no longer than
    /// the client's is good in any case, but the upstream may keep it.
    pub fn may_outlive(mut self, time: Duration) -> Self {
        self.settings.may_outlive = time;
        self
    }

    /// Shares exchanged tokens with other processes that have the same store and the same secret, of 32 bytes or more.
    ///
    /// They are encrypted, and found only by a process that asks the same server as the same client for the same target. Each process
    /// verifies them anew.
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

    /// Hands opaque tokens on without any check of their audience, for a server without introspection: whatever the token endpoint
    /// answers reaches the upstream. Their expiry (`expires_in`) is still held against that of the client's token.
    ///
    /// Tokens in the form of a signed JWT are verified all the same.
    pub fn dangerously_accept_unverified_tokens(mut self) -> Self {
        self.settings.dangerously_accept_unverified = true;
        self
    }

    /// Hands tokens of another subject (`sub`) than the client's on, for a server that names each subject differently to each service: a
    /// server that mistakes one user for another, or answers with a token of this service itself, is not noticed then.
    ///
    /// Subjects of another issuer than the client's token are not compared in any case.
    pub fn dangerously_accept_other_subjects(mut self) -> Self {
        self.settings.dangerously_accept_other_subjects = true;
        self
    }

    /// Builds the exchanger. It asks nothing yet.
    ///
    /// # Errors
    ///
    /// A [`ConfigurationError`] if the URL is malformed, or is neither https nor on this machine, if the rules name no issuer, or one
    /// by a template, if the secret of the store is too short, or if the HTTP client cannot be built.
    pub fn build(self) -> Result<Exchanger, ConfigurationError> {
        let Self { endpoint, issuer, mut settings } = self;
        let [name] = issuer.issuer_names().try_into().map_err(|_| ConfigurationError::UnnamedIssuer)?;
        endpoint.check_issuer(&name)?;
        settings.subject_issuers.push(name);
        let kept = Kept::new(settings.cache_bytes);
        let exchanges = Mutex::default();
        Ok(Exchanger(Arc::new(Inner { endpoint: endpoint.build()?, issuer, settings, kept, exchanges })))
    }
}

impl std::fmt::Debug for ExchangerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExchangerBuilder").finish_non_exhaustive()
    }
}
