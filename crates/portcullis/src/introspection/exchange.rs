//! One question to the server, and its reply.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{
    HeaderMap, Request, Response, StatusCode,
    header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, USER_AGENT},
};
use tokio::time::timeout;
use url::form_urlencoded;

use super::{
    ClientAddress, IntrospectionForm, Introspector, breaker, error_answer::ErrorAnswer, lifetime::lifetime, lock,
    turns::Turn,
};
use crate::{
    refusal::{Refusal, UnavailableFault},
    telemetry,
    transport::{self, BodyTooLong, BoxError, HttpRequest, with_causes},
};

/// An answer about a token that is not verified yet.
#[derive(Clone)]
pub(crate) struct Reply {
    /// The answer in the configured form; none if the status tells that the token is not active.
    pub(crate) text: Option<String>,
    /// The time of the answer.
    pub(crate) at: SystemTime,
    pub(crate) until: SystemTime,
}

/// A question that was admitted. The judge of the answer ends it as a success or a failure; dropped, it is a failure.
pub(crate) struct Attempt {
    introspector: Introspector,
    client: Option<ClientAddress>,
    judged: bool,
}

/// The reason why there is no answer.
enum Failure {
    Timeout(Duration),
    Client(String),
    Status(StatusCode),
    /// The server does not know our credentials; `known_of_late` if it did a moment ago.
    Credentials {
        known_of_late: bool,
    },
    TooMany(Option<Duration>),
    Compressed,
    MediaType {
        expected: &'static str,
    },
    NotText,
    TooLarge {
        limit: usize,
    },
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
    /// Asks the server about a token of this client.
    pub(crate) async fn ask(&self, token: &str, client: Option<ClientAddress>) -> Result<(Reply, Attempt), Refusal> {
        // Checked before the wait for a turn, and again after it.
        let shut = lock(&self.0.door).refuses(client, self.now());
        shut.map_or(Ok(()), |retry_after| Err(unavailable(retry_after)))?;
        let _turn = self.turn(client).await?;
        let attempt = self.attempt(client)?;
        let limit = self.0.settings.timeout;
        let reply = timeout(limit, self.exchange(token)).await.unwrap_or(Err(Failure::Timeout(limit)));
        match reply {
            Ok(reply) => Ok((reply, attempt)),
            Err(failure) if failure.is_the_servers() => Err(attempt.fail(&failure.to_string())),
            Err(Failure::TooMany(told)) => Err(attempt.rest(told)),
            Err(failure) => Err(attempt.disbelieve(&failure.to_string())),
        }
    }

    /// A turn to ask. A lack of turns is no failure of the server.
    async fn turn(&self, client: Option<ClientAddress>) -> Result<Turn, Refusal> {
        match timeout(self.0.settings.timeout, self.0.turns.next(client)).await {
            Ok(Some(turn)) => Ok(turn),
            _ => {
                telemetry::introspection_crowded_out();
                Err(unavailable(breaker::SOON))
            }
        }
    }

    fn attempt(&self, client: Option<ClientAddress>) -> Result<Attempt, Refusal> {
        lock(&self.0.door).admit(client, self.now()).map_err(unavailable)?;
        Ok(Attempt { introspector: self.clone(), client, judged: false })
    }

    async fn exchange(&self, token: &str) -> Result<Reply, Failure> {
        let request = self.request(token).ok_or(Failure::NoAssertion)?;
        let request = HttpRequest { request, max_body_bytes: self.0.settings.max_answer_bytes, reach: None };
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
            .header(ACCEPT, settings.form.media_type())
            .header(USER_AGENT, transport::USER_AGENT);
        let request = settings.client.apply(request, &mut form, &settings.assertion_audience, self.now())?;
        request.body(form.finish().into()).ok()
    }

    fn read(&self, response: Response<Bytes>) -> Result<Reply, Failure> {
        let (parts, body) = response.into_parts();
        let at = self.now();
        let until = at + lifetime(&parts.headers, self.0.settings.longest);
        let no = Reply { text: None, at, until };
        match parts.status {
            StatusCode::OK => {}
            StatusCode::NO_CONTENT if self.form() == IntrospectionForm::Phantom => {
                lock(&self.0.door).answered(at);
                return Ok(no);
            }
            StatusCode::TOO_MANY_REQUESTS => return Err(Failure::TooMany(retry_after(&parts.headers))),
            status => {
                return if self.is_no(status, &parts.headers, &body)? { Ok(no) } else { Err(Failure::Status(status)) };
            }
        }
        let expected = self.form().media_type();
        if !is_of(&parts.headers, expected) {
            return Err(Failure::MediaType { expected });
        }
        if body.len() > self.0.settings.max_answer_bytes {
            return Err(Failure::TooLarge { limit: self.0.settings.max_answer_bytes });
        }
        let compressed = parts.headers.contains_key(CONTENT_ENCODING);
        let no_text = |_| if compressed { Failure::Compressed } else { Failure::NotText };
        let text = std::str::from_utf8(&body).map_err(no_text)?;
        // A byte-order mark and a line end at the end mean nothing.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_ascii().to_owned();
        lock(&self.0.door).answered(at);
        Ok(Reply { text: Some(text), at, until })
    }

    /// Tells whether an answer with an error status means that the token is not active.
    ///
    /// A 401 without a reason means that, if the server knew our credentials a moment ago: some servers send it for unknown
    /// tokens.
    fn is_no(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Result<bool, Failure> {
        if !status.is_client_error() {
            return Ok(false);
        }
        let json = is_of(headers, IntrospectionForm::Json.media_type());
        match ErrorAnswer::read(if json { body } else { b"" }) {
            ErrorAnswer::Inactive => Ok(true),
            ErrorAnswer::UnknownClient => Err(Failure::Credentials { known_of_late: self.is_known() }),
            ErrorAnswer::Other => Ok(status == StatusCode::UNAUTHORIZED && self.is_known()),
        }
    }

    /// Tells whether the server knew our credentials a moment ago.
    fn is_known(&self) -> bool {
        lock(&self.0.door).knows_us(self.now())
    }

    fn complain(&self, outcome: &'static str, why: &str) {
        *lock(&self.0.last_error) = Some(why.to_owned());
        telemetry::introspection_failed(&crate::transport::shown(&self.0.settings.endpoint), outcome, why);
    }
}

fn unavailable(retry_after: Duration) -> Refusal {
    Refusal::Unavailable(UnavailableFault::Introspection { retry_after })
}

/// The seconds of `Retry-After` (RFC 9110 section 10.2.3); dates are not read.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// Tells whether the only `Content-Type` is this one, with any parameters.
fn is_of(headers: &HeaderMap, media_type: &str) -> bool {
    let mut fields = headers.get_all(CONTENT_TYPE).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else { return false };
    let essence = field.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(media_type)
}

impl Attempt {
    /// Ends with a credible answer, positive or negative.
    pub(crate) fn succeed(mut self, outcome: &'static str) {
        self.judged = true;
        lock(&self.introspector.0.door).succeed();
        *lock(&self.introspector.0.last_error) = None;
        telemetry::introspected(outcome);
    }

    /// Ends with an answer that is not credible. It pauses no other questions: otherwise a client could block the endpoint
    /// with a made-up token.
    pub(crate) fn disbelieve(mut self, why: &str) -> Refusal {
        self.judged = true;
        lock(&self.introspector.0.door).leave(self.client);
        self.introspector.complain("unusable", why);
        unavailable(breaker::SOON)
    }

    /// Ends with a failure that counts against the server.
    fn fail(mut self, why: &str) -> Refusal {
        self.judged = true;
        unavailable(self.failed(why))
    }

    /// Ends with the answer 429, and its `Retry-After`.
    fn rest(mut self, told: Option<Duration>) -> Refusal {
        self.judged = true;
        let rest = lock(&self.introspector.0.door).rest(self.client, told, self.introspector.now());
        self.introspector.complain("unusable", &Failure::TooMany(told).to_string());
        unavailable(rest)
    }

    fn failed(&self, why: &str) -> Duration {
        let now = self.introspector.now();
        let retry_after = lock(&self.introspector.0.door).fail(self.client, now, fastrand::f64());
        self.introspector.complain("failed", why);
        retry_after.max(breaker::SOON)
    }
}

/// An attempt that is dropped before its end is a failure.
impl Drop for Attempt {
    fn drop(&mut self) {
        if !self.judged {
            self.failed("the question was interrupted");
        }
    }
}

impl Failure {
    fn of_client(error: &BoxError) -> Self {
        match error.downcast_ref::<BodyTooLong>() {
            Some(BodyTooLong { limit }) => Self::TooLarge { limit: *limit },
            None => Self::Client(with_causes(error)),
        }
    }

    /// Tells whether any other token would have failed as well: only such failures count against the server.
    fn is_the_servers(&self) -> bool {
        match self {
            Self::Timeout(_) | Self::Client(_) | Self::NoAssertion => true,
            Self::Status(status) => status.is_server_error() || *status == StatusCode::REQUEST_TIMEOUT,
            // If the server knew our credentials a moment ago, the token may be the cause.
            Self::Credentials { known_of_late } => !known_of_late,
            // A 401 may be about our credentials or about the token. It is an answer all the same, and a quick one.
            Self::TooMany(_) | Self::Compressed | Self::MediaType { .. } | Self::NotText | Self::TooLarge { .. } => {
                false
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout(after) => write!(f, "no whole answer within {} s (`timeout`)", after.as_secs_f64()),
            Self::Client(error) => f.write_str(error),
            Self::Credentials { .. } => f.write_str(
                "expected status 200, got `invalid_client`: the server does not know this client by these credentials",
            ),
            Self::Status(StatusCode::UNAUTHORIZED) => f.write_str(
                "expected status 200, got 401 Unauthorized: the server does not know this client by these credentials, \
                 or it answers unknown tokens so",
            ),
            Self::Status(status) if status.is_redirection() => {
                write!(f, "expected status 200, got {status}: redirects are not followed, configure the final URL")
            }
            Self::TooMany(told) => {
                write!(f, "expected status 200, got 429 Too Many Requests")?;
                told.map_or(Ok(()), |told| write!(f, ", with a `Retry-After` of {} s", told.as_secs()))
            }
            Self::Compressed => f.write_str("expected an uncompressed answer, got a compressed one"),
            Self::Status(status) => write!(f, "expected status 200, got {status}"),
            Self::MediaType { expected } => write!(
                f,
                "expected an answer of the type {expected}, got another: configure the form that the server answers in"
            ),
            Self::NotText => f.write_str("expected an answer in UTF-8, got other bytes"),
            Self::TooLarge { limit } => {
                write!(f, "expected an answer of at most {limit} bytes (`max_answer_bytes`), got more")
            }
            Self::NoAssertion => {
                f.write_str("the client's assertion could not be signed, or its credentials not encoded")
            }
        }
    }
}
