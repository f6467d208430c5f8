//! The memory that a client can make the gateway hold: bounded, on each connection.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use envoy_types::pb::envoy::{
    config::core::v3::{HeaderMap, HeaderValue},
    service::auth::v3::{
        AttributeContext, CheckRequest,
        attribute_context::{self, HttpRequest},
    },
};
use http::Request;
use http_body_util::Full;
use hyper::{
    body::{Body, Frame},
    client::conn::http2,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use portcullis_testkit::{AuthorizationServer, Endpoint, Fault};
use prost::Message;
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinSet, time::timeout};

use crate::support::{Gateway, ROUTES, introspecting, issuer};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// A gRPC message whose last byte never arrives.
struct Unfinished {
    prefix: Option<Bytes>,
    rest: usize,
}

impl Unfinished {
    fn message(length: usize) -> Self {
        let length = u32::try_from(length).unwrap();
        let prefix = [&[0][..], &length.to_be_bytes()].concat().into();
        Self { prefix: Some(prefix), rest: length as usize - 1 }
    }
}

impl Body for Unfinished {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        static CHUNK: [u8; 16 * KIB] = [b'x'; 16 * KIB];
        if let Some(prefix) = self.prefix.take() {
            return Poll::Ready(Some(Ok(Frame::data(prefix))));
        }
        let length = self.rest.min(CHUNK.len());
        self.rest -= length;
        if length == 0 { Poll::Pending } else { Poll::Ready(Some(Ok(Frame::data(CHUNK[..length].into())))) }
    }
}

async fn connect(address: SocketAddr) -> http2::SendRequest<Unfinished> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// Sends `streams` messages at once on each of some connections, and holds everything that is accepted for a second.
async fn flood(address: SocketAddr, connections: usize, streams: usize, length: usize) {
    let mut requests = JoinSet::new();
    for _ in 0..connections {
        let sender = connect(address).await;
        for _ in 0..streams {
            let mut sender = sender.clone();
            let request = Request::post("http://gateway/envoy.service.auth.v3.Authorization/Check")
                .header("content-type", "application/grpc")
                .header("te", "trailers")
                .header("x-large", "y".repeat(32 * KIB))
                .body(Unfinished::message(length))
                .unwrap();
            requests.spawn(async move { drop(sender.send_request(request).await) });
        }
    }
    // They never end, or are refused.
    drop(timeout(Duration::from_secs(1), async { while requests.join_next().await.is_some() {} }).await);
}

/// Returns the peak memory of the gateway, in bytes.
fn peak(gateway: &Gateway) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<usize>().unwrap() * KIB
}

#[tokio::test]
async fn a_connection_cannot_fill_the_memory() {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", issuer(&server, ""))).await;
    gateway.ready().await;
    let before = peak(&gateway);
    for (case, connections, length, most) in [
        ("messages beyond the bound", 1, 4 * MIB, 48 * MIB),
        ("messages at the bound", 1, 128 * KIB, 64 * MIB),
        ("the same on more connections", 4, 128 * KIB, 200 * MIB),
    ] {
        for door in [gateway.grpc, gateway.forward_auth, gateway.admin] {
            flood(door, connections, 1_000, length).await;
        }
        let grown = peak(&gateway) - before;
        println!("{case}: {} MiB", grown / MIB);
        assert!(grown < most, "{case}: {} MiB", grown / MIB);
    }
    assert_eq!(gateway.ask("GET", "/orders/1", None).await.status, 401);
    let told = |line: &serde_json::Value| line["message"].to_string().contains("limits.check_bytes");
    gateway.logged(told).await;
}

/// Makes a check about an opaque token with many fields: each has two bytes on the wire, and 72 in memory.
fn swollen(token: &str, fields: usize) -> Bytes {
    let field = |key: &str, value: &str| HeaderValue { key: key.into(), value: value.into(), ..HeaderValue::default() };
    let mut headers = vec![HeaderValue::default(); fields];
    headers.push(field("authorization", &format!("Bearer {token}")));
    let http = HttpRequest {
        method: "GET".into(),
        path: "/orders/1".into(),
        header_map: Some(HeaderMap { headers }),
        ..HttpRequest::default()
    };
    let request = attribute_context::Request { http: Some(http), ..attribute_context::Request::default() };
    let attributes = AttributeContext { request: Some(request), ..AttributeContext::default() };
    let message = CheckRequest { attributes: Some(attributes) }.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0][..], &length, &message].concat().into()
}

#[tokio::test]
async fn a_check_that_waits_keeps_little_of_what_it_says() {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", introspecting(&server, "json", ""))).await;
    gateway.ready().await;
    server.fault(Endpoint::Introspection, Fault::Hang);
    let before = peak(&gateway);
    let [most, too_many] = [3_500, 50_000].map(|fields| swollen("opaque", fields));
    let opaque = |check: &Bytes, number: u8| {
        let mut check = check.to_vec();
        let at = check.windows(6).position(|bytes| bytes == b"opaque").unwrap();
        check[at..at + 3].copy_from_slice(format!("{number:03}").as_bytes());
        Bytes::from(check)
    };
    let checks = (0..64).flat_map(|number| [opaque(&most, number), opaque(&too_many, number)]);
    let stream = TcpStream::connect(gateway.grpc).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut requests = JoinSet::new();
    for check in checks {
        let mut sender = sender.clone();
        let request = Request::post("http://gateway/envoy.service.auth.v3.Authorization/Check")
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Full::new(check))
            .unwrap();
        requests.spawn(async move { sender.send_request(request).await.unwrap().status() });
    }
    // One half is refused for its size, the other waits until it is given up.
    while let Some(answer) = requests.join_next().await {
        assert_eq!(answer.unwrap(), 200);
    }
    assert_eq!(gateway.metric("portcullis_gateway_decision_seconds_count{door=\"ext_authz\"}").await, 64.0);
    assert_eq!(gateway.metric("portcullis_gateway_checks_too_large_total").await, 64.0);
    let grown = peak(&gateway) - before;
    assert!(grown < 96 * MIB, "{} MiB", grown / MIB);
}

const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Makes a frame of HTTP/2 (RFC 9113 section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Sends frames until the gateway hangs up, or all are sent; returns the number of bytes.
async fn send(address: SocketAddr, frames: impl Iterator<Item = Vec<u8>>) -> usize {
    let (mut read, mut write) = TcpStream::connect(address).await.unwrap().into_split();
    tokio::spawn(async move { tokio::io::copy(&mut read, &mut tokio::io::sink()).await });
    let begin = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(SETTINGS, 0, 0, &[])];
    let mut sent = 0;
    for bytes in begin.into_iter().chain(frames) {
        match timeout(Duration::from_secs(10), write.write_all(&bytes)).await {
            Ok(Ok(())) => sent += bytes.len(),
            _ => break,
        }
    }
    sent
}

#[tokio::test]
async fn floods_of_frames_fill_no_memory_and_harm_nobody() {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", issuer(&server, ""))).await;
    gateway.ready().await;
    let before = peak(&gateway);
    // GET http://g/, and a field without end.
    let request = [0x82, 0x86, 0x84, 0x41, 1, b'g'];
    let fields = b"\x00\x01a\x01b".repeat(3_000);
    for door in [gateway.forward_auth, gateway.grpc, gateway.admin] {
        let first = std::iter::once(frame(HEADERS, 0, 1, &request));
        let sent = send(door, first.chain((0..4_000).map(|_| frame(CONTINUATION, 0, 1, &fields)))).await;
        assert!(sent < 32 * MIB, "header sections without end are taken: {} MiB", sent / MIB);
        let rapid = (0..50_000_u32).map(|at| {
            let stream = 2 * at + 1;
            [frame(HEADERS, END_HEADERS | END_STREAM, stream, &request), frame(RESET, 0, stream, &[0, 0, 0, 8])]
                .concat()
        });
        send(door, rapid).await;
    }
    let grown = peak(&gateway) - before;
    assert!(grown < 48 * MIB, "{} MiB", grown / MIB);
    assert_eq!(gateway.ask("GET", "/orders/1", None).await.status, 401);
}
