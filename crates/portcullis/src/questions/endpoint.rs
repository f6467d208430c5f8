//! An endpoint that answers questions, and one question with its answer.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{
    HeaderMap, Request, Response, StatusCode,
    header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, USER_AGENT},
};
use tokio::time::timeout;
use url::{Url, form_urlencoded};

use super::{
    Attempt, ClientAddress, EndpointStatus, Failure, Purpose, Question, breaker,
    door::Door,
    location::Location,
    lock,
    store::{SealedStore, Told},
    turns::{Turn, Turns},
};
use crate::{
    client_authentication::ClientAuthentication,
    clock::Clock,
    crypto::Digest,
    jwks::Place,
    refusal::Refusal,
    transport::{self, AnyHttpClient, HttpRequest},
};

/// An endpoint that this server asks as a client. Clones share all state.
#[derive(Clone)]
pub(crate) struct Endpoint(Arc<Inner>);

struct Inner {
    settings: Settings,
    door: Mutex<Door>,
    last_error: Mutex<Option<String>>,
    turns: Turns,
}

/// The settings from the builder.
pub(super) struct Settings {
    pub(super) purpose: Purpose,
    pub(super) location: Location,
    pub(super) client: ClientAuthentication,
    /// The audience of an assertion, if it is not the URL.
    pub(super) assertion_audience: Option<String>,
    pub(super) http: Arc<dyn AnyHttpClient>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) timeout: Duration,
    pub(super) max_questions: usize,
    pub(super) max_answer_bytes: usize,
    pub(super) store: Option<SealedStore>,
}

/// The content of a question, without our credentials.
pub(crate) struct Asking<'a> {
    /// The media type of the answer.
    pub(crate) accept: &'static str,
    /// The parameters of the form.
    pub(crate) form: &'a [(&'a str, &'a str)],
}

/// An answer with any status but 429.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The time of the answer.
    pub(crate) at: SystemTime,
}

impl Endpoint {
    pub(super) fn new(settings: Settings) -> Self {
        let turns = Turns::new(settings.max_questions);
        Self(Arc::new(Inner { settings, door: Mutex::new(Door::default()), last_error: Mutex::new(None), turns }))
    }

    /// The state of the endpoint.
    pub(crate) fn status(&self) -> EndpointStatus {
        let door = lock(&self.0.door);
        EndpointStatus {
            endpoint: self.shown(),
            failures: door.failures(),
            retry_after: door.refuses(None, self.now()),
            last_error: lock(&self.0.last_error).clone(),
        }
    }

    pub(crate) fn purpose(&self) -> Purpose {
        self.0.settings.purpose
    }

    /// The location, told apart from any other.
    pub(crate) fn identity(&self) -> Cow<'_, str> {
        self.0.settings.location.identity()
    }

    /// The location for people, without credentials and query.
    pub(crate) fn shown(&self) -> String {
        self.0.settings.location.shown()
    }

    pub(crate) fn client(&self) -> &ClientAuthentication {
        &self.0.settings.client
    }

    /// The audience of an assertion, if it is not the URL.
    pub(crate) fn assertion_audience(&self) -> Option<&str> {
        self.0.settings.assertion_audience.as_deref()
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.settings.clock
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.0.settings.clock.now()
    }

    /// Asks a question for a client, and reads the answer. The judge of the answer ends the attempt.
    pub(crate) async fn ask<T>(
        &self,
        asking: &Asking<'_>,
        client: Option<ClientAddress>,
        read: impl FnOnce(Answer) -> Result<T, Failure>,
    ) -> Result<(T, Attempt), Refusal> {
        let unavailable = |retry_after| self.purpose().unavailable(retry_after);
        // Checked before the wait for a turn, and again after it.
        let shut = lock(&self.0.door).refuses(client, self.now());
        shut.map_or(Ok(()), |retry_after| Err(unavailable(retry_after)))?;
        let _turn = self.turn(client).await?;
        lock(&self.0.door).admit(client, self.now()).map_err(unavailable)?;
        let attempt = Attempt::new(self.clone(), client);
        let limit = self.0.settings.timeout;
        let answer = timeout(limit, self.send(asking)).await.unwrap_or(Err(Failure::Timeout(limit)));
        match answer.and_then(read) {
            Ok(read) => Ok((read, attempt)),
            Err(failure) if failure.is_the_servers() => Err(attempt.fail(&failure.to_string())),
            Err(failure @ Failure::TooMany(told)) => Err(attempt.rest(told, &failure.to_string())),
            Err(failure) => Err(attempt.disbelieve(&failure.to_string())),
        }
    }

    /// A turn to ask. A lack of turns is no failure of the server.
    async fn turn(&self, client: Option<ClientAddress>) -> Result<Turn, Refusal> {
        match timeout(self.0.settings.timeout, self.0.turns.next(client)).await {
            Ok(Some(turn)) => Ok(turn),
            _ => {
                self.purpose().count("crowded_out");
                Err(self.purpose().unavailable(breaker::SOON))
            }
        }
    }

    async fn send(&self, asking: &Asking<'_>) -> Result<Answer, Failure> {
        let Place { url, reach, .. } = self.0.settings.location.place().await?;
        let request = self.request(&url, asking).ok_or(Failure::NoAssertion)?;
        let request = HttpRequest { request, max_body_bytes: self.0.settings.max_answer_bytes, reach };
        let response: Response<Bytes> =
            self.0.settings.http.send(request).await.map_err(|error| Failure::of_client(&error))?;
        let (parts, body) = response.into_parts();
        if parts.status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Failure::TooMany(retry_after(&parts.headers)));
        }
        Ok(Answer { status: parts.status, headers: parts.headers, body, at: self.now() })
    }

    /// The token goes into the form, never into the URL.
    fn request(&self, url: &Url, asking: &Asking<'_>) -> Option<Request<Bytes>> {
        let settings = &self.0.settings;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(asking.form);
        let request = Request::post(url.as_str())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, asking.accept)
            .header(USER_AGENT, transport::USER_AGENT);
        let audience = settings.assertion_audience.as_deref().unwrap_or(url.as_str());
        let request = settings.client.apply(request, &mut form, audience, self.now())?;
        request.body(form.finish().into()).ok()
    }

    /// The text of an answer with status 200, which has to be of this media type.
    pub(crate) fn text(&self, answer: &Answer, expected: &'static str) -> Result<String, Failure> {
        if !answer.is_of(expected) {
            return Err(Failure::MediaType { expected });
        }
        let limit = self.0.settings.max_answer_bytes;
        if answer.body.len() > limit {
            return Err(Failure::TooLarge { limit });
        }
        let compressed = answer.headers.contains_key(CONTENT_ENCODING);
        let no_text = |_| if compressed { Failure::Compressed } else { Failure::NotText };
        let text = std::str::from_utf8(&answer.body).map_err(no_text)?;
        // A byte-order mark and a line end at the end mean nothing.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_ascii().to_owned();
        self.knows_us(answer.at);
        Ok(text)
    }

    /// Records that the server knew our credentials at this time.
    pub(crate) fn knows_us(&self, at: SystemTime) {
        lock(&self.0.door).answered(at);
    }

    /// Tells whether the server knew our credentials a moment ago.
    pub(crate) fn knew_us(&self) -> bool {
        lock(&self.0.door).knows_us(self.now())
    }

    /// The answer that another process got to the same question about this token, if it is sealed as it should be; the caller
    /// checks its times.
    pub(crate) async fn shared(&self, question: &Question, token: &Digest) -> Option<Told> {
        self.0.settings.store.as_ref()?.get(question, token, self.now()).await
    }

    /// Shares an answer about this token with other processes.
    pub(crate) fn share(&self, question: &Question, token: &Digest, text: &str, until: SystemTime) {
        if let Some(store) = &self.0.settings.store {
            store.set(question, token, text, until, self.now());
        }
    }

    pub(super) fn door(&self) -> &Mutex<Door> {
        &self.0.door
    }

    pub(super) fn succeeded(&self) {
        lock(&self.0.door).succeed();
        *lock(&self.0.last_error) = None;
    }

    pub(super) fn complain(&self, outcome: &'static str, why: &str) {
        *lock(&self.0.last_error) = Some(why.to_owned());
        self.purpose().failed(&self.shown(), outcome, why);
    }
}

impl Answer {
    /// Tells whether the only `Content-Type` is this one, with any parameters.
    pub(crate) fn is_of(&self, media_type: &str) -> bool {
        let mut fields = self.headers.get_all(CONTENT_TYPE).iter();
        let (Some(field), None) = (fields.next(), fields.next()) else { return false };
        let essence = field.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case(media_type)
    }
}

/// The seconds of `Retry-After` (RFC 9110 section 10.2.3); dates are not read.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("url", &self.shown()).field("client", self.client()).finish_non_exhaustive()
    }
}
