//! What Envoy asks by gRPC: a `CheckRequest`, as it sends them.

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

/// How long the gateway may take until it lets a good token pass.
const READY_LIMIT: Duration = Duration::from_secs(10);

/// The path of the method.
pub(super) const PATH: &str = "/envoy.service.auth.v3.Authorization/Check";

/// The question whether a request with this token may pass.
pub(super) fn about(token: &str) -> CheckRequest {
    let fields = [
        (":authority", "api.example.com"),
        (":method", "GET"),
        (":path", "/orders/1"),
        (":scheme", "https"),
        ("accept", "*/*"),
        ("user-agent", "bench"),
        ("x-forwarded-proto", "https"),
        ("x-request-id", "3d8d63a4-8a2c-4f0f-9d1e-5b8f1ddf6a31"),
    ];
    let mut headers: HashMap<_, _> =
        fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    headers.insert("authorization".to_owned(), format!("Bearer {token}"));
    let http = HttpRequest {
        id: "9723423789013426456".to_owned(),
        method: "GET".to_owned(),
        path: "/orders/1".to_owned(),
        host: "api.example.com".to_owned(),
        scheme: "https".to_owned(),
        protocol: "HTTP/1.1".to_owned(),
        headers,
        ..HttpRequest::default()
    };
    let request = Request { http: Some(http), ..Request::default() };
    CheckRequest { attributes: Some(AttributeContext { request: Some(request), ..AttributeContext::default() }) }
}

/// The body of a request with that: not compressed, four bytes of length, the message.
pub(super) fn body(token: &str) -> Vec<u8> {
    let message = about(token).encode_to_vec();
    let length = u32::try_from(message.len()).expect("a token is short").to_be_bytes();
    [&[0], &length[..], &message].concat()
}

/// A connection to a server.
pub(super) async fn connect(server: SocketAddr) -> Result<AuthorizationClient<Channel>> {
    let endpoint = Endpoint::from_shared(format!("http://{server}")).map_err(|error| error.to_string())?;
    let channel = endpoint.connect().await.map_err(|error| format!("no connection by gRPC: {error}"))?;
    Ok(AuthorizationClient::new(channel))
}

/// Whether a request with this token may pass.
pub(super) async fn passes(client: &mut AuthorizationClient<Channel>, token: &str) -> Result<bool> {
    let answer = client.check(about(token)).await.map_err(|status| format!("no answer by gRPC: {status}"))?;
    Ok(answer.into_inner().status.is_some_and(|status| status.code == 0))
}

/// Waits until it may.
pub(super) fn until_it_passes(bench: &Bench<'_>, server: SocketAddr, token: &str) -> Result {
    let started = Instant::now();
    let mut client = bench.runtime.block_on(connect(server))?;
    while !bench.runtime.block_on(passes(&mut client, token))? {
        if started.elapsed() > READY_LIMIT {
            return Err("a good token does not pass by gRPC".to_owned());
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
