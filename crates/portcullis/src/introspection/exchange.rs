//! One question to the server, and its reply.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{
    HeaderMap, Request, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE},
};
use tokio::{sync::SemaphorePermit, time::timeout};
use url::form_urlencoded;

use super::{IntrospectionForm, Introspector, breaker, lifetime::lifetime, lock};
use crate::{
    refusal::{Refusal, UnavailableFault},
    telemetry,
    transport::{BodyTooLong, BoxError, HttpRequest, with_causes},
};

/// The longest reply that is read.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// What was told of a token; whether it can be believed is not judged yet.
#[derive(Clone)]
pub(crate) struct Reply {
    /// The answer in the form that was asked for; none is the server's "no" of the phantom form.
    pub(crate) text: Option<String>,
    pub(crate) until: SystemTime,
}

/// A question that may be asked. Whoever judges the answer says whether it was one; without a word, it was none.
pub(crate) struct Attempt {
    introspector: Introspector,
    judged: bool,
}

/// Why there is no answer.
enum Failure {
    Timeout(Duration),
    Client(String),
    Status(StatusCode),
    MediaType { expected: &'static str },
    NotText,
    TooLarge,
    NoAssertion,
}

impl IntrospectionForm {
    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Jwt => "application/token-introspection+jwt",
            Self::Phantom => "application/jwt",
        }
    }
}

impl Introspector {
    /// Asks the server about a token.
    pub(crate) async fn ask(&self, token: &str) -> Result<(Reply, Attempt), Refusal> {
        // Who would not be let in need not queue, and who has queued may find the door shut.
        let shut = lock(&self.0.breaker).refuses(self.now());
        shut.map_or(Ok(()), |retry_after| Err(unavailable(retry_after)))?;
        let _turn = self.turn().await?;
        let attempt = self.attempt()?;
        let limit = self.0.settings.timeout;
        let reply = timeout(limit, self.exchange(token)).await.unwrap_or(Err(Failure::Timeout(limit)));
        match reply {
            Ok(reply) => Ok((reply, attempt)),
            Err(failure) if failure.is_the_servers() => Err(attempt.fail(&failure.to_string())),
            Err(failure) => Err(attempt.disbelieve(&failure.to_string())),
        }
    }

    /// A place among those who ask. That there is none says how many ask, and nothing of the server.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, Refusal> {
        match timeout(self.0.settings.timeout, self.0.turns.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => {
                telemetry::introspection_crowded_out();
                Err(unavailable(breaker::SOON))
            }
        }
    }

    fn attempt(&self) -> Result<Attempt, Refusal> {
        lock(&self.0.breaker).admit(self.now()).map_err(unavailable)?;
        Ok(Attempt { introspector: self.clone(), judged: false })
    }

    async fn exchange(&self, token: &str) -> Result<Reply, Failure> {
        let request = self.request(token).ok_or(Failure::NoAssertion)?;
        let request = HttpRequest { request, max_body_bytes: MAX_BODY_BYTES };
        let response = self.0.settings.http.send(request).await;
        self.read(response.map_err(|error| Failure::of_client(&error))?)
    }

    /// The token goes into the form (RFC 7662 section 2.1), never into the URL.
    fn request(&self, token: &str) -> Option<Request<Bytes>> {
        let settings = &self.0.settings;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("token", token).append_pair("token_type_hint", "access_token");
        let request = Request::post(settings.endpoint.as_str())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, settings.form.media_type());
        let request = settings.client.apply(request, &mut form, &settings.assertion_audience, self.now())?;
        request.body(form.finish().into()).ok()
    }

    fn read(&self, response: Response<Bytes>) -> Result<Reply, Failure> {
        let (parts, body) = response.into_parts();
        let until = self.now() + lifetime(&parts.headers, self.0.settings.longest);
        match parts.status {
            StatusCode::OK => {}
            StatusCode::NO_CONTENT if self.form() == IntrospectionForm::Phantom => {
                return Ok(Reply { text: None, until });
            }
            status => return Err(Failure::Status(status)),
        }
        let expected = self.form().media_type();
        if !is_of(&parts.headers, expected) {
            return Err(Failure::MediaType { expected });
        }
        if body.len() > MAX_BODY_BYTES {
            return Err(Failure::TooLarge);
        }
        let text = String::from_utf8(body.into()).map_err(|_| Failure::NotText)?;
        Ok(Reply { text: Some(text), until })
    }

    fn failed(&self, why: &str) -> Duration {
        let retry_after = lock(&self.0.breaker).fail(self.now(), fastrand::f64());
        self.complain("failed", why);
        retry_after.max(breaker::SOON)
    }

    fn complain(&self, outcome: &'static str, why: &str) {
        *lock(&self.0.last_error) = Some(why.to_owned());
        telemetry::introspection_failed(&crate::transport::shown(&self.0.settings.endpoint), outcome, why);
    }
}

fn unavailable(retry_after: Duration) -> Refusal {
    Refusal::Unavailable(UnavailableFault::Introspection { retry_after })
}

/// Whether the one `Content-Type` is this, whatever its parameters.
fn is_of(headers: &HeaderMap, media_type: &str) -> bool {
    let mut fields = headers.get_all(CONTENT_TYPE).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else { return false };
    let essence = field.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(media_type)
}

impl Attempt {
    /// The server gave an answer that can be believed, a yes or a no.
    pub(crate) fn succeed(mut self, outcome: &'static str) {
        self.judged = true;
        lock(&self.introspector.0.breaker).succeed();
        *lock(&self.introspector.0.last_error) = None;
        telemetry::introspected(outcome);
    }

    /// It answers this question in no way that can be believed. Other tokens may fare better: who makes one up to get such
    /// an answer must not have the server left alone.
    pub(crate) fn disbelieve(mut self, why: &str) -> Refusal {
        self.judged = true;
        lock(&self.introspector.0.breaker).leave();
        self.introspector.complain("unusable", why);
        unavailable(breaker::SOON)
    }

    /// It answers nobody, and this is why.
    fn fail(mut self, why: &str) -> Refusal {
        self.judged = true;
        unavailable(self.introspector.failed(why))
    }
}

/// An attempt that nobody judged was broken off.
impl Drop for Attempt {
    fn drop(&mut self) {
        if !self.judged {
            self.introspector.failed("the question was interrupted");
        }
    }
}

impl Failure {
    fn of_client(error: &BoxError) -> Self {
        if error.is::<BodyTooLong>() { Self::TooLarge } else { Self::Client(with_causes(error)) }
    }

    /// Whether it would have met any other token as well: only what does counts against the server.
    fn is_the_servers(&self) -> bool {
        match self {
            Self::Timeout(_) | Self::Client(_) | Self::NoAssertion => true,
            // That it does not know us is about our credentials, and too many requests are about all of them.
            Self::Status(status) => {
                let about_all = [StatusCode::UNAUTHORIZED, StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
                status.is_server_error() || about_all.contains(status)
            }
            Self::MediaType { .. } | Self::NotText | Self::TooLarge => false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout(after) => write!(f, "no whole answer within {} s", after.as_secs_f64()),
            Self::Client(error) => f.write_str(error),
            Self::Status(StatusCode::UNAUTHORIZED) => f.write_str(
                "expected status 200, 401 Unauthorized came: the server does not know this client by these credentials",
            ),
            Self::Status(status) => write!(f, "expected status 200, {status} came"),
            Self::MediaType { expected } => write!(
                f,
                "expected an answer of the type {expected}, another came: see whether the server answers in the form that \
                 is configured"
            ),
            Self::NotText => f.write_str("the answer is not UTF-8"),
            Self::TooLarge => write!(f, "the answer is longer than {MAX_BODY_BYTES} bytes"),
            Self::NoAssertion => {
                f.write_str("the client's assertion could not be signed, or its credentials not encoded")
            }
        }
    }
}
