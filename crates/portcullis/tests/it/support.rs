//! Helpers for tests: an app behind a layer, a request, and its answer.

use std::{sync::Once, time::SystemTime};

use axum::{Router, body::Body, routing::get};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use portcullis::{Access, Claims, Explanation, Judging, JwksBuilder, JwksService, Presented, Refusal, Secure, Verdict};
use portcullis_testkit::{AuthorizationServer, TestClock};
use tower::ServiceExt;
use tracing::{
    Subscriber,
    subscriber::{DefaultGuard, set_default, set_global_default},
};
use tracing_subscriber::registry;

/// An authorization server and the service of its keys, both by one stopped clock.
pub(crate) struct Setup {
    pub(crate) server: AuthorizationServer,
    pub(crate) jwks: JwksService,
    pub(crate) clock: TestClock,
}

impl Setup {
    pub(crate) async fn new() -> Self {
        Self::with(|server| server, |jwks| jwks).await
    }

    pub(crate) async fn with(
        server: impl FnOnce(portcullis_testkit::Builder) -> portcullis_testkit::Builder,
        jwks: impl FnOnce(JwksBuilder) -> JwksBuilder,
    ) -> Self {
        let clock = TestClock::new();
        let builder = server(AuthorizationServer::builder().clock(clock.clone()));
        let server = builder.start().await.unwrap();
        let jwks = jwks(by(&clock, JwksService::builder(&server.jwks_uri()))).build().unwrap();
        Self { server, jwks, clock }
    }

    pub(crate) fn app(&self) -> Router {
        app(Secure::new(self.jwks.clone()))
    }

    /// The status for a good token by the current signing key.
    pub(crate) async fn status(&self, app: &Router) -> StatusCode {
        answer(app, bearer(&self.server.token().sign())).await.status
    }
}

pub(crate) fn by(clock: &TestClock, builder: JwksBuilder) -> JwksBuilder {
    let clock = clock.clone();
    builder.clock(move || clock.now())
}

/// An app behind a layer; `GET /` answers with the token's subject.
pub(crate) fn app(secure: Secure) -> Router {
    Router::new().route("/", get(subject)).layer(secure)
}

async fn subject(claims: Claims) -> String {
    claims.subject().unwrap_or("nobody").to_owned()
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// The one challenge; two fields would be an error.
    pub(crate) fn challenge(&self) -> Option<&str> {
        let mut fields = self.headers.get_all(header::WWW_AUTHENTICATE).iter();
        let challenge = fields.next()?.to_str().unwrap();
        assert!(fields.next().is_none(), "more than one WWW-Authenticate field");
        Some(challenge)
    }
}

pub(crate) async fn answer(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

pub(crate) fn request(fields: &[(&str, &str)]) -> Request<Body> {
    let request = fields.iter().fold(Request::get("/"), |request, (name, value)| request.header(*name, *value));
    request.body(Body::empty()).unwrap()
}

pub(crate) fn bearer(token: &str) -> Request<Body> {
    request(&[("authorization", &format!("Bearer {token}"))])
}

/// The verdict on a request with these `Authorization` fields; none if it has to wait.
pub(crate) fn judge_now(secure: &Secure, authorization: &[&[u8]]) -> Option<Result<Option<Access>, Refusal>> {
    match secure.judge(&Presented::new(&fields(authorization))) {
        Judging::Done(verdict) => Some(access(verdict)),
        Judging::Waits(_) => None,
    }
}

/// The verdict on a request with these `Authorization` fields.
pub(crate) async fn judge(secure: &Secure, authorization: &[&[u8]]) -> Result<Option<Access>, Refusal> {
    let judging = secure.judge(&Presented::new(&fields(authorization)));
    access(judging.verdict().await)
}

/// The explanation of a request with these `Authorization` fields.
pub(crate) async fn explain_request(secure: &Secure, authorization: &[&[u8]], now: SystemTime) -> Explanation {
    secure.explain(&Presented::new(&fields(authorization)), now).await
}

pub(crate) fn fields<'a>(authorization: &[&'a [u8]]) -> Vec<(&'static str, &'a [u8])> {
    authorization.iter().map(|value| ("Authorization", *value)).collect()
}

fn access(verdict: Verdict) -> Result<Option<Access>, Refusal> {
    verdict.outcome.map(|admitted| admitted.access().cloned())
}

/// Sets the subscriber of this thread, until the guard is dropped.
///
/// While tracing has a single subscriber, it asks that of the thread that meets an event first, and switches the event off
/// for all others where that thread has none. The subscriber of all threads wants every event.
pub(crate) fn listen(subscriber: impl Subscriber + Send + Sync + 'static) -> DefaultGuard {
    static FOR_ALL: Once = Once::new();
    FOR_ALL.call_once(|| set_global_default(registry()).unwrap());
    set_default(subscriber)
}
