//! Faults of an authorization server, on demand.

mod body;

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use tokio::sync::watch;

use body::{CutOffBody, EndlessBody};

/// A faulty answer of an [`Endpoint`](crate::Endpoint).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use portcullis_testkit::{AuthorizationServer, Endpoint, Fault};
///
/// let server = AuthorizationServer::start().await;
/// server.fault(Endpoint::Jwks, Fault::Status(503));
/// // … your API must cope with it …
/// server.heal(Endpoint::Jwks);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Answers with this status and no body; an invalid status is sent as 500.
    Status(u16),
    /// Answers as usual, this much later.
    Delay(Duration),
    /// Does not answer until healed or replaced; then answers as usual.
    Hang,
    /// Stops in the middle of the usual body and drops the connection.
    CutOff,
    /// Answers 200 with an HTML page whose `Content-Type` says JSON.
    NotJson,
    /// Answers as usual, after this many bytes of valid white space.
    HugeBody(usize),
    /// Begins a JSON document and never ends it.
    EndlessBody,
    /// Answers 200 with `{"keys":[]}`.
    NoKeys,
    /// Answers 302 with this `Location`.
    Redirect(String),
    /// Answers 200 with this body.
    Body {
        /// The `Content-Type` field.
        content_type: String,
        /// The body.
        body: String,
    },
    /// Answers introspection of an inactive token with this status, and of an active token as usual.
    ///
    /// django-oauth-toolkit up to version 2 (401, with the usual body) and old versions of Hydra (401) do so.
    InactiveToken {
        /// The status; an invalid one is sent as 500.
        status: u16,
        /// True to send the usual body, `{"active":false}`, with it.
        body: bool,
    },
    /// Closes the connection without an answer.
    Refuse,
}

/// The mark of a response that is never sent: the connection closes instead.
#[derive(Clone, Copy, Debug)]
pub(super) struct HangUp;

impl Fault {
    /// Answers `request` with this fault; `released` changes when the fault ends.
    pub(super) async fn answer(self, mut released: watch::Receiver<()>, request: Request, next: Next) -> Response {
        match self {
            Self::Status(code) => status(code).into_response(),
            Self::Delay(delay) => {
                tokio::time::sleep(delay).await;
                next.run(request).await
            }
            Self::Hang => {
                // An error means that the server, and so this connection, has ended.
                let _ = released.changed().await;
                next.run(request).await
            }
            Self::CutOff => cut_off(next.run(request).await).await,
            Self::NotJson => ok("application/json", "<html><body>Bad day</body></html>"),
            Self::HugeBody(padding) => pad(padding, next.run(request).await).await,
            Self::EndlessBody => ok("application/json", Body::new(EndlessBody::new())),
            Self::NoKeys => ok("application/jwk-set+json", r#"{"keys":[]}"#),
            Self::Redirect(to) => redirect(&to),
            Self::Body { content_type, body } => ok(&content_type, body),
            Self::InactiveToken { status, body } => inactive_token(status, body, next.run(request).await).await,
            Self::Refuse => {
                let mut response = Response::default();
                response.extensions_mut().insert(HangUp);
                response
            }
        }
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn ok(content_type: &str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    insert(&mut response, CONTENT_TYPE, content_type);
    response
}

fn redirect(to: &str) -> Response {
    let mut response = StatusCode::FOUND.into_response();
    insert(&mut response, LOCATION, to);
    response
}

/// Sets a header field, unless its value is not valid in HTTP.
fn insert(response: &mut Response, name: axum::http::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// The usual answer, or this status in place of one for an inactive token.
async fn inactive_token(code: u16, with_body: bool, usual: Response) -> Response {
    if usual.status() == StatusCode::NO_CONTENT {
        return status(code).into_response();
    }
    let (mut head, body) = usual.into_parts();
    let bytes = collect(body).await;
    if bytes != br#"{"active":false}"# {
        return Response::from_parts(head, Body::from(bytes));
    }
    if !with_body {
        return status(code).into_response();
    }
    head.status = status(code);
    Response::from_parts(head, Body::from(bytes))
}

async fn cut_off(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let mut bytes = collect(body).await;
    head.headers.insert(CONTENT_LENGTH, bytes.len().into());
    bytes.truncate(bytes.len() / 2);
    Response::from_parts(head, Body::new(CutOffBody::new(bytes)))
}

async fn pad(padding: usize, response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let mut padded = vec![b' '; padding];
    padded.extend(collect(body).await);
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, Body::from(padded))
}

/// Reads the whole body, which never fails because the server made it.
async fn collect(body: Body) -> Vec<u8> {
    let collected = body.collect().await;
    collected.map_or_else(|_| Vec::new(), |body| body.to_bytes().to_vec())
}
