//! Hostile input: the gateway goes on answering, and nothing passes by mistake.

use portcullis_testkit::{AuthorizationServer, Endpoint, Fault};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Duration, timeout},
};

use crate::support::{Gateway, ROUTES, introspecting, issuer};

/// Returns the answer to these bytes; empty if there is none.
async fn answer_to(address: std::net::SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The gateway may have hung up by now.
    drop(stream.write_all(bytes).await);
    drop(stream.shutdown().await);
    let mut answer = Vec::new();
    drop(timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await);
    answer
}

fn with_fields(fields: &[u8]) -> Vec<u8> {
    let mut request = b"GET /auth HTTP/1.1\r\nHost: g\r\nConnection: close\r\nX-Original-Method: GET\r\n".to_vec();
    request.extend_from_slice(fields);
    request.extend_from_slice(b"\r\n\r\n");
    request
}

#[tokio::test]
async fn odd_requests_are_refused_and_change_nothing() {
    let server = AuthorizationServer::start().await;
    let mut gateway = Gateway::start(&format!("{}{ROUTES}", introspecting(&server, "phantom", ""))).await;
    gateway.ready().await;
    let token = server.token().scope("read").sign();
    let long = "a".repeat(9_000);
    let huge = "b".repeat(200_000);
    let fields: Vec<Vec<u8>> = vec![
        format!("X-Original-URI: /orders/{long}").into(),
        format!("X-Original-URI: /orders/1?{long}").into(),
        format!("X-Original-URI: {}", "/%2e".repeat(2_000)).into(),
        format!("X-Original-URI: {}", "/..;/%252f".repeat(500)).into(),
        format!("Authorization: Bearer {huge}\r\nX-Original-URI: /orders/1").into(),
        format!("Authorization: Bearer {}\r\nX-Original-URI: /orders/1", "e.".repeat(5_000)).into(),
        b"Authorization: Bearer \xff\xfe\xfd\r\nX-Original-URI: /orders/1".to_vec(),
        b"X-Original-URI: /orders/\xc3\x28".to_vec(),
        b"Authorization: Bearer\r\nX-Original-URI: /orders/1".to_vec(),
        b"Authorization: Bearer a\r\n folded: yes\r\nX-Original-URI: /orders/1".to_vec(),
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\nX-Original-URI: /orders/1".to_vec(),
        b"Content-Length: 99999999999999999999\r\nX-Original-URI: /orders/1".to_vec(),
        b"X-Original-URI: ".to_vec(),
        b"X-Original-URI: *".to_vec(),
        b"X-Original-URI: //".to_vec(),
        b"X-Original-URI: /\x01".to_vec(),
    ];
    for field in &fields {
        let answer = answer_to(gateway.forward_auth, &with_fields(field)).await;
        let shown = String::from_utf8_lossy(&field[..field.len().min(60)]).into_owned();
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{shown}");
    }
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET",
        b"\0\0\0\0",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff",
        b"HELO there\r\n\r\n",
    ] {
        for address in [gateway.forward_auth, gateway.grpc, gateway.admin] {
            assert!(!answer_to(address, garbage).await.starts_with(b"HTTP/1.1 200"));
        }
    }
    assert_eq!(gateway.ask("GET", "/orders/1", Some(&token)).await.status, 200, "{}", gateway.log());
    assert_eq!(gateway.page("/healthz").await.status, 200);
    assert!(!gateway.log().contains("panicked"), "{}", gateway.log());
    gateway.signal("TERM");
    assert!(gateway.ended().await.success());
}

#[tokio::test]
async fn each_limit_has_a_key_and_its_refusal_names_it() {
    let server = AuthorizationServer::start().await;
    let limits = "[limits]\nheader_bytes = \"8KiB\"\npath_bytes = \"1KiB\"\nrequest_time = \"300ms\"\n";
    let strict = issuer(&server, "max_token_bytes = 2000");
    let gateway = Gateway::start(&format!("{strict}{ROUTES}{limits}")).await;
    gateway.ready().await;
    let named = async |key: &str| {
        gateway.logged(|line| line.to_string().contains(key)).await;
    };
    let long = format!("/open/{}", "a".repeat(2_000));
    assert_eq!(gateway.ask("GET", &long, None).await.code(), "malformed_path");
    named("limits.path_bytes").await;
    let token = "e".repeat(3_000);
    assert_eq!(gateway.ask("GET", "/orders/1", Some(&token)).await.code(), "token_too_large");
    named("max_token_bytes").await;
    let fields = format!("X-Original-URI: /open/1\r\nX-Large: {}", "x".repeat(9_000));
    answer_to(gateway.forward_auth, &with_fields(fields.as_bytes())).await;
    named("limits.header_bytes").await;
    server.fault(Endpoint::Jwks, Fault::Hang);
    server.rotate();
    let unknown = server.token().scope("read").sign();
    assert_eq!(gateway.ask("GET", "/orders/1", Some(&unknown)).await.status, 503);
    named("limits.request_time").await;

    // With other limits they pass.
    let server = AuthorizationServer::start().await;
    let gateway =
        Gateway::start(&format!("{}{ROUTES}[limits]\npath_bytes = \"16KiB\"\n", self::issuer(&server, ""))).await;
    let long = format!("/open/{}", "a".repeat(9_000));
    assert_eq!(gateway.ask("GET", &long, None).await.status, 200);
}

/// Connects from an untrusted address of this machine.
pub async fn connect_from(last: u8, address: std::net::SocketAddr) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(std::net::SocketAddr::from(([127, 0, 0, last], 0))).unwrap();
    socket.connect(address).await.unwrap()
}

/// Returns true if a request gets any answer; the connection is kept.
pub async fn is_answered(stream: &mut TcpStream) -> bool {
    let mut byte = [0];
    let asked = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: g\r\n\r\n").await.is_ok();
    asked && matches!(timeout(Duration::from_secs(10), stream.read(&mut byte)).await, Ok(Ok(1)))
}

#[tokio::test]
async fn one_peer_takes_no_other_peers_connections_at_any_listener() {
    let server = AuthorizationServer::start().await;
    let keys = "trusted_proxies = [\"127.0.0.1\"]";
    let tables = format!("{}{ROUTES}[limits]\nconnections = 8\n", issuer(&server, ""));
    let gateway = Gateway::start_with(keys, &tables).await;
    gateway.ready().await;
    for listener in [gateway.forward_auth, gateway.grpc, gateway.admin] {
        let mut greedy = Vec::new();
        for _ in 0..20 {
            let mut stream = connect_from(2, listener).await;
            if is_answered(&mut stream).await {
                greedy.push(stream);
            }
        }
        assert_eq!(greedy.len(), 2, "a quarter of all, at {listener}");
        for last in [3, 1, 1, 1] {
            assert!(is_answered(&mut connect_from(last, listener).await).await, "127.0.0.{last} at {listener}");
        }
    }
    let refused = gateway.metric("portcullis_gateway_connections_refused_total{listener=\"listen\"}").await;
    assert!(refused >= 18.0, "{refused}");
    gateway.logged(|line| line["message"].to_string().contains("limits.connections_per_peer")).await;
}
