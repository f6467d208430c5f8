//! What the tests share: an app behind a layer, a request, and its answer.

use axum::{Router, body::Body, routing::get};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use portcullis::{Claims, JwksBuilder, JwksService, Secure};
use portcullis_testkit::{AuthorizationServer, TestClock};
use tower::ServiceExt;

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

    /// The status for a good token by the present signing key.
    pub(crate) async fn status(&self, app: &Router) -> StatusCode {
        answer(app, bearer(&self.server.token().sign())).await.status
    }
}

pub(crate) fn by(clock: &TestClock, builder: JwksBuilder) -> JwksBuilder {
    let clock = clock.clone();
    builder.clock(move || clock.now())
}

/// `GET /` says who the token speaks for.
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
