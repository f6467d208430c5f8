//! Opaque tokens: the authorization server is asked about them ([`Introspector`], RFC 7662).
//!
//! A token that is not in the form of a signed JWT is opaque; others are asked about where that is configured ([`tokens`]). This
//! module asks the question and keeps its answer;
//! `verifier/opaque.rs` judges the answer. A phantom JWT is parsed and verified like any other token, and claims of an
//! answer are checked like those of a JWT: there is no other way to a `VerifiedToken`.
//!
//! # Questions
//!
//! - One question for each token is in flight, in a task of its own (`single_flight`): a request that is dropped cancels
//!   nothing for others.
//! - `max_questions` are in flight in all ([`turns`]). Others wait for a turn, for as long as a question may take, and
//!   then get 503. A client whose address is known takes no more turns than it leaves to others.
//! - An opaque token does not name its issuer, so one issuer at most introspects: asking a second one would give the
//!   token away.
//! - An answer is accepted only in the configured form: its media type has to be that of the form, and a JWT in it is
//!   verified.
//! - Client assertions are signed in `crypto/signing.rs`, the only signing code.
//!
//! # Answers
//!
//! - An answer is kept by the SHA-256 of the token, in bounded bytes, for min(`exp`, `Cache-Control: max-age`, the
//!   configured time). Its times, and the keys of a JWT, are checked at each request.
//! - `no-store` does not forbid keeping an answer: servers put it on every answer, and RFC 7662 section 4 leaves the
//!   time to the resource server. A `max-age` without `no-store` is respected (`lifetime`).
//! - Refused tokens are remembered for seconds, apart from the others, so that a flood of bad tokens displaces no good
//!   one (`refused`).
//! - A shared store is not trusted ([`store`]): an entry is sealed for its token, its times and the question, and
//!   judged anew by its reader. It holds the time of the answer, so that no process relies on it for longer than its
//!   own `keep_for`.
//!
//! # Failures
//!
//! - After five failures in a row no questions are asked for a while ([`breaker`], a pure decision). Meanwhile kept
//!   answers count until their time is over; every other token gets 503.
//! - Only a failure that any token would have met counts against the server: no connection, no answer in time, 5xx,
//!   408, or credentials that it refuses and has not accepted within the last minute. Any other status, and an answer
//!   that is not credible, is 503 for that token alone. Otherwise a client could block the endpoint with a made-up token.
//! - Failures count against the client that caused them ([`door`]): if its address is known, only this client has to wait,
//!   and all clients only after failures of five. After a 429 that client waits for the `Retry-After`, at most 30 s.
//! - A 401 makes no client wait: it is a quick answer, about our credentials or about the token. It means that the
//!   token is not active if its body says so, or if the server has answered 200 to the same credentials within the last
//!   minute.
//! - A client is refused only if a credible answer says that the token is not active, or its claims break a rule. A phantom
//!   JWT or signed answer that is empty, malformed or signed by an unknown key is the server's fault: 503.

mod breaker;
mod builder;
mod client_address;
mod door;
mod error_answer;
mod exchange;
mod lifetime;
mod question;
mod refused;
mod single_flight;
mod status;
mod store;
mod tokens;
mod turns;

pub use builder::IntrospectorBuilder;
pub use client_address::ClientAddress;
pub use status::IntrospectorStatus;
pub use store::TokenStore;
pub use tokens::IntrospectedTokens;

pub(crate) use exchange::{Attempt, Reply};
pub(crate) use question::Question;
pub(crate) use refused::RefusedTokens;
pub(crate) use single_flight::{NoResult, SingleFlight};
pub(crate) use tokens::IntrospectedJwts;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use url::Url;

use crate::{
    client_authentication::ClientAuthentication,
    clock::Clock,
    crypto::Digest,
    shared_store::CLOCKS_APART,
    telemetry,
    token_cache::Limits,
    transport::{AnyHttpClient, shown},
};
use door::Door;
use store::SealedStore;
use turns::Turns;

/// Asks an authorization server about opaque tokens (RFC 7662).
///
/// A verifier with an introspector ([`VerifierBuilder::introspection`](crate::VerifierBuilder::introspection)) verifies JWTs
/// itself and has all other tokens introspected; [`introspect`](IntrospectorBuilder::introspect) changes that. Clones share all
/// state.
///
/// # Example
///
/// ```
/// use portcullis::{ClientAuthentication, Introspector, JwksService, Secure, Verifier};
///
/// let client = ClientAuthentication::basic("my-api", "secret");
/// let introspector = Introspector::builder("https://as.example.com/introspect", client).build()?;
/// let verifier = Verifier::builder(JwksService::new("https://as.example.com/jwks")?)
///     .issuer("https://as.example.com")
///     .introspection(introspector)
///     .build()?;
/// let secure = Secure::new(verifier);
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[derive(Clone)]
pub struct Introspector(Arc<Inner>);

/// The form of the server's answers: other forms are not accepted.
///
/// # Example
///
/// ```
/// use portcullis::IntrospectionForm;
///
/// assert_eq!(IntrospectionForm::default(), IntrospectionForm::Json);
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IntrospectionForm {
    /// A JSON object (RFC 7662 section 2.2): trusted because of its connection.
    #[default]
    Json,
    /// A signed JWT (RFC 9701): trusted because of its signature by the issuer's keys, for this server.
    Jwt,
    /// The JWT access token behind the opaque one (`application/jwt`), verified like any other.
    Phantom,
}

struct Inner {
    settings: Settings,
    door: Mutex<Door>,
    last_error: Mutex<Option<String>>,
    /// The last oddity that was logged.
    oddity: Mutex<Option<&'static str>>,
    turns: Turns,
}

/// The settings from the builder.
struct Settings {
    endpoint: Url,
    client: ClientAuthentication,
    form: IntrospectionForm,
    jwts: IntrospectedJwts,
    assertion_audience: String,
    http: Arc<dyn AnyHttpClient>,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    max_answer_bytes: usize,
    max_answer_age: Duration,
    longest: Duration,
    refused_for: Duration,
    most_refused: usize,
    cache: Limits,
    store: Option<SealedStore>,
}

impl Introspector {
    /// A builder for an introspector that asks this endpoint as this client.
    pub fn builder(endpoint: &str, client: ClientAuthentication) -> IntrospectorBuilder {
        IntrospectorBuilder::new(endpoint, client)
    }

    /// The state of the introspector.
    #[must_use]
    pub fn status(&self) -> IntrospectorStatus {
        let door = lock(&self.0.door);
        IntrospectorStatus {
            endpoint: crate::transport::shown(&self.0.settings.endpoint),
            failures: door.failures(),
            retry_after: door.refuses(None, self.now()),
            last_error: lock(&self.0.last_error).clone(),
        }
    }

    /// Spans all questions about one token.
    pub(crate) fn span(&self) -> tracing::Span {
        telemetry::introspecting(&self.0.settings.endpoint)
    }

    pub(crate) fn form(&self) -> IntrospectionForm {
        self.0.settings.form
    }

    /// The JWTs that are introspected, too.
    pub(crate) fn jwts(&self) -> &IntrospectedJwts {
        &self.0.settings.jwts
    }

    /// The client that is the audience of signed answers.
    pub(crate) fn client_id(&self) -> &str {
        self.0.settings.client.id()
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.settings.clock
    }

    pub(crate) fn cache(&self) -> Limits {
        self.0.settings.cache
    }

    pub(crate) fn refused_for(&self) -> Duration {
        self.0.settings.refused_for
    }

    /// A memory for refused tokens.
    pub(crate) fn refused_tokens(&self) -> RefusedTokens {
        RefusedTokens::new(self.0.settings.most_refused)
    }

    /// The greatest age of a signed answer on arrival.
    pub(crate) fn max_answer_age(&self) -> Duration {
        self.0.settings.max_answer_age
    }

    /// Logs an oddity of the server's answers, once.
    pub(crate) fn remark(&self, oddity: &'static str) {
        if lock(&self.0.oddity).replace(oddity) != Some(oddity) {
            telemetry::introspection_oddity(&crate::transport::shown(&self.0.settings.endpoint), oddity);
        }
    }

    /// The answer that another process got to the same question about this token, if it may still be used.
    pub(crate) async fn shared(&self, question: &Question, token: &Digest) -> Option<Reply> {
        let store = self.0.settings.store.as_ref()?;
        let now = self.now();
        let told = store.get(question, token, now).await?;
        // The other process may keep answers for longer; here the own limit counts.
        let until = told.until.min(told.at + self.0.settings.longest);
        (now < until && told.at <= now + CLOCKS_APART).then_some(Reply { text: Some(told.text), at: told.at, until })
    }

    /// Shares a credible answer about this token with other processes.
    pub(crate) fn share(&self, question: &Question, token: &Digest, reply: &Reply, expiry: Option<SystemTime>) {
        let (Some(store), Some(text)) = (&self.0.settings.store, &reply.text) else { return };
        let until = expiry.map_or(reply.until, |expiry| expiry.min(reply.until));
        store.set(question, token, text, until, self.now());
    }

    fn now(&self) -> SystemTime {
        self.0.settings.clock.now()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Introspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { endpoint, client, form, .. } = &self.0.settings;
        let endpoint = shown(endpoint);
        f.debug_struct("Introspector")
            .field("endpoint", &endpoint)
            .field("client", client)
            .field("form", form)
            .finish_non_exhaustive()
    }
}
