//! MCP servers: messages as clients of each revision send them, at each door.

mod bodies;
mod credentials;
mod doors;
mod scopes;

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use axum::{Router, body::Body, routing::any};
use bytes::Bytes;
use http::{HeaderMap, Request, header::AUTHORIZATION};
use http_body::Frame;
use portcullis::{MethodRule, ProtectedResource, Secure, Verifier};
use portcullis_testkit::{Endpoint, TokenBuilder};

use crate::support::{self, Answer, Setup};

const RESOURCE: &str = "https://mcp.example.com/mcp";
const METADATA: &str = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";

/// The endpoint needs `read`, deleting `write`, the audit `audit` and `write`, prompts `prompts`.
fn resource(setup: &Setup) -> ProtectedResource {
    ProtectedResource::new(RESOURCE)
        .issuer(Verifier::builder(setup.jwks.clone()).issuer(setup.server.issuer()))
        .tool("delete_*", ["write"])
        .tool("audit", ["audit", "write"])
        .method(MethodRule::new("prompts/*", ["prompts"]))
        .allowed_origins(["https://chat.example.com"])
}

fn secure(setup: &Setup) -> Secure {
    Secure::mcp(resource(setup)).unwrap().scope(["read"])
}

fn token(setup: &Setup, scope: &str) -> TokenBuilder {
    setup.server.token().audience(RESOURCE).scope(scope)
}

/// A router whose server tells if it got an `Authorization` field, and the content it got.
fn app(secure: Secure) -> Router {
    secure.protect(Router::new().route("/mcp", any(server)))
}

async fn server(headers: HeaderMap, content: Result<Bytes, axum::extract::rejection::BytesRejection>) -> String {
    let content = content.map_or("cut off".into(), |content| String::from_utf8(content.to_vec()).unwrap());
    let with = if headers.contains_key(AUTHORIZATION) { "with" } else { "without" };
    format!("{with} token: {content}")
}

fn post(token: Option<&str>, fields: &[(&str, &str)], content: impl Into<Body>) -> Request<Body> {
    let request = Request::post("/mcp").header("content-type", "application/json");
    let request =
        token.into_iter().fold(request, |request, token| request.header(AUTHORIZATION, format!("Bearer {token}")));
    fields.iter().fold(request, |request, (name, value)| request.header(*name, *value)).body(content.into()).unwrap()
}

async fn answer(app: &Router, request: Request<Body>) -> Answer {
    support::answer(app, request).await
}

/// The body of `tools/call`.
fn call(tool: &str) -> String {
    format!(
        r#"{{ "jsonrpc": "2.0", "id": "a-7", "method": "tools/call", "params": {{ "name": "{tool}", "arguments": {{}} }} }}"#
    )
}

/// A body in frames; counts the frames that were asked for.
struct Frames {
    frames: VecDeque<Result<Frame<Bytes>, String>>,
    asked: Arc<AtomicUsize>,
}

impl Frames {
    fn new(frames: impl IntoIterator<Item = Result<Frame<Bytes>, String>>) -> (Self, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        (Self { frames: frames.into_iter().collect(), asked: Arc::clone(&asked) }, asked)
    }

    fn of(parts: &[&str]) -> Body {
        let frame = |part: &&str| Ok(Frame::data(Bytes::copy_from_slice(part.as_bytes())));
        Body::new(Self::new(parts.iter().map(frame)).0)
    }
}

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = String;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, String>>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(self.frames.pop_front())
    }
}

/// The result of a body that cannot fail.
type Sure<T> = Result<T, Infallible>;
