//! Opaque tokens: the authorization server is asked about them ([`Introspector`], RFC 7662).
//!
//! A token that is not in the form of a signed JWT is opaque; others are asked about where that is configured ([`tokens`]). This
//! module asks the question and keeps its answer;
//! `verifier/opaque.rs` judges the answer. A phantom JWT is parsed and verified like any other token, and claims of an
//! answer are checked like those of a JWT: there is no other way to a `VerifiedToken`.
//!
//! # Questions
//!
//! - They are asked as `questions/` tells, which bounds them and the failures of the server.
//! - An opaque token does not name its issuer, so one issuer at most introspects: asking a second one would give the
//!   token away.
//! - An answer is accepted only in the configured form: its media type has to be that of the form, and a JWT in it is
//!   verified.
//!
//! # Answers
//!
//! - An answer is kept by the SHA-256 of the token, in bounded bytes, for min(`exp`, `Cache-Control: max-age`, the
//!   configured time). Its times, and the keys of a JWT, are checked at each request.
//! - `no-store` does not forbid keeping an answer: servers put it on every answer, and RFC 7662 section 4 leaves the
//!   time to the resource server. A `max-age` without `no-store` is respected (`lifetime`).
//! - A process relies on an answer from the shared store for no longer than its own `keep_for`.
//!
//! # Failures
//!
//! - A 401 makes no client wait: it is a quick answer, about our credentials or about the token. It means that the
//!   token is not active if its body says so, or if the server has answered 200 to the same credentials within the last
//!   minute.
//! - A client is refused only if a credible answer says that the token is not active, or its claims break a rule. A phantom
//!   JWT or signed answer that is empty, malformed or signed by an unknown key is the server's fault: 503.

mod ask;
mod builder;
mod error_answer;
mod lifetime;
mod question;
mod tokens;

pub use builder::IntrospectorBuilder;
pub use tokens::IntrospectedTokens;

pub(crate) use ask::Reply;
pub(crate) use tokens::IntrospectedJwts;

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use crate::{
    client_authentication::ClientAuthentication,
    clock::Clock,
    crypto::Digest,
    questions::{Endpoint, EndpointStatus, Question, RefusedTokens, lock},
    shared_store::CLOCKS_APART,
    telemetry,
    token_cache::Limits,
};

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
    endpoint: Endpoint,
    settings: Settings,
    /// The last oddity that was logged.
    oddity: Mutex<Option<&'static str>>,
}

/// The settings from the builder, besides those of the endpoint.
struct Settings {
    form: IntrospectionForm,
    jwts: IntrospectedJwts,
    max_answer_age: Duration,
    longest: Duration,
    refused_for: Duration,
    most_refused: usize,
    cache: Limits,
}

impl Introspector {
    /// A builder for an introspector that asks this endpoint as this client.
    pub fn builder(endpoint: &str, client: ClientAuthentication) -> IntrospectorBuilder {
        IntrospectorBuilder::new(endpoint, client)
    }

    /// The state of the introspector.
    #[must_use]
    pub fn status(&self) -> EndpointStatus {
        self.0.endpoint.status()
    }

    /// Spans all questions about one token.
    pub(crate) fn span(&self) -> tracing::Span {
        telemetry::introspecting(&self.0.endpoint.shown())
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
        self.0.endpoint.client().id()
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        self.0.endpoint.clock()
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
            telemetry::introspection_oddity(&self.0.endpoint.shown(), oddity);
        }
    }

    /// The answer that another process got to the same question about this token, if it may still be used.
    pub(crate) async fn shared(&self, question: &Question, token: &Digest) -> Option<Reply> {
        let now = self.now();
        let told = self.0.endpoint.shared(question, token).await?;
        // The other process may keep answers for longer; here the own limit counts.
        let until = told.until.min(told.at + self.0.settings.longest);
        (now < until && told.at <= now + CLOCKS_APART).then_some(Reply { text: Some(told.text), at: told.at, until })
    }

    /// Shares a credible answer about this token with other processes.
    pub(crate) fn share(&self, question: &Question, token: &Digest, reply: &Reply, expiry: Option<SystemTime>) {
        let Some(text) = &reply.text else { return };
        let until = expiry.map_or(reply.until, |expiry| expiry.min(reply.until));
        self.0.endpoint.share(question, token, text, until);
    }

    fn now(&self) -> SystemTime {
        self.0.endpoint.now()
    }
}

impl fmt::Debug for Introspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { endpoint, settings, .. } = &*self.0;
        f.debug_struct("Introspector").field("endpoint", endpoint).field("form", &settings.form).finish_non_exhaustive()
    }
}
