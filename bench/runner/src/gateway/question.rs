//! The `CheckRequest` that Envoy sends by gRPC.

use std::{
    collections::HashMap,
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use envoy_types::pb::envoy::service::auth::v3::{
    AttributeContext, CheckRequest,
    attribute_context::{HttpRequest, Request},
    authorization_client::AuthorizationClient,
};
use harness::Result;
use prost::Message;
use tonic::transport::{Channel, Endpoint};

use super::Bench;

/// The time limit until the gateway lets a good token pass.
const READY_LIMIT: Duration = Duration::from_secs(10);

/// The path of the method.
pub(super) const PATH: &str = "/envoy.service.auth.v3.Authorization/Check";

/// A request of a client, apart from its token.
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    /// Header fields in addition to those of every request, as lines.
    pub(super) fields: &'a [&'a str],
    /// The content that Envoy sends along; empty if it sends none.
    pub(super) content: &'a str,
}

/// A request for an order.
pub(super) const ORDER: Asked<'static> =
    Asked { method: "GET", path: "/orders/1", fields: &["Accept: */*"], content: "" };

/// The `CheckRequest` about a request with this token.
pub(super) fn about(asked: &Asked<'_>, token: &str) -> CheckRequest {
    let Asked { method, path, fields, content } = asked;
    let all = [
        (":authority", "api.example.com"),
        (":method", method),
        (":path", path),
        (":scheme", "https"),
        ("user-agent", "bench"),
        ("x-forwarded-proto", "https"),
        ("x-request-id", "3d8d63a4-8a2c-4f0f-9d1e-5b8f1ddf6a31"),
    ];
    let further = fields.iter().filter_map(|field| field.split_once(": "));
    let mut headers: HashMap<_, _> =
        all.into_iter().chain(further).map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    headers.insert("authorization".to_owned(), format!("Bearer {token}"));
    let http = HttpRequest {
        id: "9723423789013426456".to_owned(),
        method: (*method).to_owned(),
        path: (*path).to_owned(),
        host: "api.example.com".to_owned(),
        scheme: "https".to_owned(),
        protocol: "HTTP/1.1".to_owned(),
        headers,
        size: i64::try_from(content.len()).expect("the content is short"),
        raw_body: content.as_bytes().to_vec(),
        ..HttpRequest::default()
    };
    let request = Request { http: Some(http), ..Request::default() };
    CheckRequest { attributes: Some(AttributeContext { request: Some(request), ..AttributeContext::default() }) }
}

/// The body of a gRPC request with it: not compressed, four bytes of length, the message.
pub(super) fn body(asked: &CheckRequest) -> Vec<u8> {
    let message = asked.encode_to_vec();
    let length = u32::try_from(message.len()).expect("a request is short").to_be_bytes();
    [&[0], &length[..], &message].concat()
}

/// A connection to a server.
pub(super) async fn connect(server: SocketAddr) -> Result<AuthorizationClient<Channel>> {
    let endpoint = Endpoint::from_shared(format!("http://{server}")).map_err(|error| error.to_string())?;
    let channel = endpoint.connect().await.map_err(|error| format!("cannot connect by gRPC: {error}"))?;
    Ok(AuthorizationClient::new(channel))
}

/// Returns true if a request may pass.
pub(super) async fn passes(client: &mut AuthorizationClient<Channel>, asked: &CheckRequest) -> Result<bool> {
    let answer = client.check(asked.clone()).await.map_err(|status| format!("no answer by gRPC: {status}"))?;
    Ok(answer.into_inner().status.is_some_and(|status| status.code == 0))
}

/// Waits until a request passes.
pub(super) fn until_it_passes(bench: &Bench<'_>, server: SocketAddr, asked: &CheckRequest) -> Result {
    let started = Instant::now();
    let mut client = bench.runtime.block_on(connect(server))?;
    while !bench.runtime.block_on(passes(&mut client, asked))? {
        if started.elapsed() > READY_LIMIT {
            return Err("expected a good token to pass by gRPC, got a refusal".to_owned());
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
