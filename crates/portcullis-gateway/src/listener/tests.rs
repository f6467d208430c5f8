//! Good, slow and hostile clients, over sockets.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails says so")]

use std::{path::Path, pin::Pin};

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::watch,
    task::JoinHandle,
};
use tokio_rustls::{
    TlsConnector, client,
    rustls::{ClientConfig, RootCertStore},
};

use super::*;

/// Long enough for anything that ends.
const PATIENCE: Duration = Duration::from_secs(20);
/// A limit that is meant to be exceeded.
const SHORT: Duration = Duration::from_millis(200);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: gateway\r\n\r\n";

/// Limits that no good client meets.
pub(crate) fn limits() -> Limits {
    Limits {
        connections: 100,
        connections_per_peer: 100,
        streams: 128,
        header_bytes: 16 << 10,
        check_bytes: 32 << 10,
        path_bytes: 8 << 10,
        idle_time: Duration::from_secs(65 * 60),
        header_time: PATIENCE,
        request_time: PATIENCE,
        drain_time: PATIENCE,
    }
}

/// A free port, without TLS.
pub(crate) fn plain() -> config::Listener {
    config::Listener { address: SocketAddr::from(([127, 0, 0, 1], 0)), tls: None, client_certificate: None }
}

/// A peer on this machine, without a certificate.
pub(crate) fn local_peer() -> Peer {
    Peer { address: SocketAddr::from(([127, 0, 0, 1], 1)), certificate: None }
}

/// A listener that serves.
struct Server {
    address: SocketAddr,
    tls: Option<TlsHandle>,
    trigger: DrainTrigger,
    gate: watch::Sender<bool>,
    ended: JoinHandle<()>,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Full<Bytes>>, Infallible>> + Send>>;

impl Server {
    async fn start(config: &config::Listener, limits: Limits) -> Self {
        Self::start_trusting(config, limits, |_| true).await
    }

    async fn start_trusting(
        config: &config::Listener,
        limits: Limits,
        trusts: impl Fn(IpAddr) -> bool + Send + Sync + 'static,
    ) -> Self {
        let (trigger, drain) = Drain::new();
        let (gate, opened) = watch::channel(false);
        let listener = Listener::bind(config, &limits).await.unwrap().named("test").trusting(trusts);
        let (address, tls) = (listener.address(), listener.tls());
        let service_for = move |peer: Peer| {
            let opened = opened.clone();
            hyper::service::service_fn(move |request: Request<Incoming>| answer(&request, peer.address, opened.clone()))
        };
        let ended = tokio::spawn(listener.serve(service_for, drain));
        Self { address, tls, trigger, gate, ended }
    }

    async fn plain(limits: Limits) -> Self {
        Self::start(&plain(), limits).await
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Opens a connection that had an answer and is kept.
    async fn idle(&self) -> TcpStream {
        let mut stream = self.connect().await;
        assert_eq!(ask(&mut stream, "/").await, 200);
        stream
    }

    async fn h2c(&self) -> http2::SendRequest<Full<Bytes>> {
        h2(self.connect().await).await
    }
}

/// `/gated` waits for the gate, `/never` for ever; the answer to `/big` fills the buffers of any socket.
fn answer(request: &Request<Incoming>, peer: SocketAddr, mut opened: watch::Receiver<bool>) -> Answer {
    let path = request.uri().path().to_owned();
    Box::pin(async move {
        match path.as_str() {
            "/gated" => drop(opened.wait_for(|open| *open).await),
            "/never" => std::future::pending().await,
            _ => {}
        }
        let body = if path == "/big" { Bytes::from(vec![b'x'; 64 << 20]) } else { peer.to_string().into() };
        Ok(Response::new(Full::new(body)))
    })
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("it hangs"))
}

/// Returns the status of the answer to a GET.
async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), path: &str) -> u16 {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: gateway\r\n\r\n").as_bytes()).await.unwrap();
    status(&head(stream).await)
}

/// Reads a response up to the end of its header section, with any of its body that arrived with it.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut text = Vec::new();
    soon(async {
        while !text.windows(4).any(|end| end == b"\r\n\r\n") {
            if stream.read_buf(&mut text).await.unwrap_or(0) == 0 {
                break;
            }
        }
    })
    .await;
    String::from_utf8_lossy(&text).into_owned()
}

fn status(head: &str) -> u16 {
    head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no response: {head:?}"))
}

/// Waits for the end of a connection, of any kind.
async fn closed(stream: &mut (impl AsyncRead + Unpin)) {
    let mut rest = Vec::new();
    let _ = soon(stream.read_to_end(&mut rest)).await;
}

async fn h2<S>(stream: S) -> http2::SendRequest<Full<Bytes>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn get(path: &str) -> Request<Full<Bytes>> {
    Request::get(format!("http://gateway{path}")).body(Full::default()).unwrap()
}

async fn ask_h2(sender: &mut http2::SendRequest<Full<Bytes>>, path: &str) -> StatusCode {
    soon(sender.send_request(get(path))).await.unwrap().status()
}

// Good clients.

#[tokio::test]
async fn both_protocols_on_one_port() {
    let server = Server::plain(limits()).await;
    let mut http1 = server.idle().await;
    http1.write_all(REQUEST).await.unwrap();
    let peer = http1.local_addr().unwrap().to_string();
    assert!(head(&mut http1).await.ends_with(&peer), "the service knows its peer");

    let mut http2 = server.h2c().await;
    let response = http2.send_request(get("/")).await.unwrap();
    assert_eq!((response.status(), response.version()), (StatusCode::OK, http::Version::HTTP_2));
    assert!(!response.into_body().collect().await.unwrap().to_bytes().is_empty());
}

#[tokio::test]
async fn a_pooled_connection_outlives_the_time_for_a_header_section() {
    let server = Server::plain(Limits { header_time: SHORT, ..limits() }).await;
    let mut idle = server.idle().await;
    let mut multiplexed = server.h2c().await;
    assert_eq!(ask_h2(&mut multiplexed, "/").await, 200);
    // As long as others need to be cut off, twice.
    for _ in 0..2 {
        closed(&mut server.connect().await).await;
    }
    assert_eq!(ask(&mut idle, "/").await, 200);
    assert_eq!(ask_h2(&mut multiplexed, "/").await, 200);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = Server::plain(limits()).await;
    let mut stream = server.connect().await;
    stream
        .write_all(&[REQUEST, REQUEST, b"GET / HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n"].concat())
        .await
        .unwrap();
    let mut text = String::new();
    soon(stream.read_to_string(&mut text)).await.unwrap();
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 3, "{text}");
}

// Slow and hostile clients.

#[tokio::test]
async fn a_header_section_that_trickles_in_is_cut_off() {
    let server = Server::plain(Limits { header_time: SHORT, ..limits() }).await;
    for (case, mut stream) in [("first", server.connect().await), ("second", server.idle().await)] {
        let (mut read, mut write) = stream.split();
        let trickle = async {
            for byte in b"GET / HTTP/1.1\r\nx-slow: ".iter().chain([&b'x'; 10_000]) {
                if write.write_all(&[*byte]).await.is_err() {
                    break;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            () = closed(&mut read) => {}
            () = trickle => panic!("the {case} header section was not cut off"),
        }
    }
}

#[tokio::test]
async fn who_says_nothing_is_cut_off() {
    let server = Server::plain(Limits { header_time: SHORT, ..limits() }).await;
    closed(&mut server.connect().await).await;
    // Nor does the preface of HTTP/2 win any time, whole or in part.
    for preface in [&b"PRI * HT"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"] {
        let mut stream = server.connect().await;
        stream.write_all(preface).await.unwrap();
        closed(&mut stream).await;
    }
}

#[tokio::test]
async fn a_header_section_that_is_too_large_gets_431() {
    let server = Server::plain(limits()).await;
    let mut stream = server.connect().await;
    // Exactly the bytes that are read: unread ones would reset the connection before the answer is seen.
    let field = format!("GET / HTTP/1.1\r\nhost: gateway\r\nx-large: {}", "x".repeat(17 << 10));
    let _ = stream.write_all(field.get(..16 << 10).unwrap().as_bytes()).await;
    assert_eq!(status(&head(&mut stream).await), 431);
    closed(&mut stream).await;

    let mut http2 = server.h2c().await;
    let mut request = get("/");
    request.headers_mut().insert("x-large", "x".repeat(17 << 10).parse().unwrap());
    match soon(http2.send_request(request)).await {
        Ok(response) => assert_eq!(response.status(), 431),
        // The client knows the limit from the settings, and may keep to it by itself.
        Err(error) => assert!(!error.is_timeout(), "{error}"),
    }
    let mut fresh = server.h2c().await;
    assert_eq!(ask_h2(&mut fresh, "/").await, 200);
}

#[tokio::test]
async fn beyond_the_limit_clients_wait_for_a_place() {
    let server = Server::plain(Limits { connections: 2, ..limits() }).await;
    let first = server.idle().await;
    let _second = server.idle().await;
    let mut third = server.connect().await;
    third.write_all(REQUEST).await.unwrap();
    assert!(timeout(SHORT, third.readable()).await.is_err(), "answered beyond the limit");
    drop(first);
    assert_eq!(status(&head(&mut third).await), 200);
}

/// Connects from another address of this machine.
async fn connect_from(source: [u8; 4], server: &Server) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((source, 0))).unwrap();
    socket.connect(server.address).await.unwrap()
}

#[tokio::test]
async fn one_peer_cannot_hold_every_connection() {
    let limits = Limits { connections: 8, connections_per_peer: 2, header_time: SHORT, ..limits() };
    let trusts = |peer: IpAddr| peer == IpAddr::from([127, 0, 0, 9]);
    let server = Server::start_trusting(&plain(), limits, trusts).await;
    let mut greedy = Vec::new();
    for _ in 0..2 {
        let mut stream = connect_from([127, 0, 0, 2], &server).await;
        assert_eq!(ask(&mut stream, "/").await, 200);
        stream.write_all(b"GET /gated HTTP/1.1\r\nhost: gateway\r\n\r\n").await.unwrap();
        greedy.push(stream);
    }
    for _ in 0..20 {
        closed(&mut connect_from([127, 0, 0, 2], &server).await).await;
    }
    let mut others = Vec::new();
    for source in [[127, 0, 0, 3], [127, 0, 0, 3]] {
        let mut other = connect_from(source, &server).await;
        assert_eq!(ask(&mut other, "/").await, 200);
        other.write_all(b"GET /gated HTTP/1.1\r\nhost: gateway\r\n\r\n").await.unwrap();
        others.push(other);
    }
    // Half of all places are for trusted peers, which have no other bound.
    closed(&mut connect_from([127, 0, 0, 4], &server).await).await;
    let mut trusted = Vec::new();
    for _ in 0..4 {
        let mut stream = connect_from([127, 0, 0, 9], &server).await;
        assert_eq!(ask(&mut stream, "/").await, 200);
        trusted.push(stream);
    }
    drop(trusted);
    // An idle connection makes room for another of the same peer.
    server.gate.send(true).unwrap();
    for stream in &mut greedy {
        assert_eq!(status(&head(stream).await), 200);
    }
    soon(async {
        while ask_if_open(&mut connect_from([127, 0, 0, 2], &server).await).await.is_none() {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// Returns the status, or none if the peer hung up.
async fn ask_if_open(stream: &mut TcpStream) -> Option<u16> {
    stream.write_all(REQUEST).await.ok()?;
    head(stream).await.split(' ').nth(1)?.parse().ok()
}

#[tokio::test]
async fn a_connection_has_so_many_requests_in_flight_and_no_more() {
    let server = Server::plain(Limits { streams: 3, ..limits() }).await;
    let mut sender = server.h2c().await;
    assert_eq!(ask_h2(&mut sender, "/").await, 200, "the client has the settings now");
    let gated: Vec<_> = (0..3).map(|_| sender.send_request(get("/gated"))).collect();
    let gated = tokio::spawn(async move {
        for answer in gated {
            assert_eq!(answer.await.unwrap().status(), 200);
        }
    });
    assert!(timeout(SHORT, sender.send_request(get("/"))).await.is_err(), "the client has to wait");
    server.gate.send(true).unwrap();
    soon(gated).await.unwrap();
    assert_eq!(ask_h2(&mut sender, "/").await, 200);
}

#[tokio::test]
async fn idle_connections_make_room() {
    let server = Server::plain(Limits { connections: 1, header_time: SHORT, ..limits() }).await;
    let mut idle = server.idle().await;
    let mut next = server.connect().await;
    assert_eq!(ask(&mut next, "/").await, 200);
    closed(&mut idle).await;
    drop(next);

    let mut multiplexed = server.h2c().await;
    assert_eq!(ask_h2(&mut multiplexed, "/").await, 200);
    let mut last = server.connect().await;
    assert_eq!(ask(&mut last, "/").await, 200);
}

#[tokio::test]
async fn a_client_that_does_not_read_loses_its_place() {
    let limits = Limits { connections: 1, request_time: SHORT, ..limits() };
    let server = Server::plain(limits).await;
    let mut deaf = server.connect().await;
    deaf.write_all(b"GET /big HTTP/1.1\r\nhost: gateway\r\n\r\n").await.unwrap();
    assert_eq!(ask(&mut server.connect().await, "/").await, 200);
    drop(deaf);

    // On HTTP/2 it is the window that stays shut, while the connection itself is well.
    let server = Server::plain(Limits { connections: 1, header_time: SHORT, ..self::limits() }).await;
    let mut multiplexed = server.h2c().await;
    let unread = soon(multiplexed.send_request(get("/big"))).await.unwrap();
    assert_eq!(ask(&mut server.connect().await, "/").await, 200);
    drop(unread);
}

#[tokio::test]
async fn a_body_that_does_not_come_holds_no_place() {
    let server = Server::plain(Limits { connections: 1, header_time: SHORT, ..limits() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"POST / HTTP/1.1\r\nhost: gateway\r\ncontent-length: 1000\r\n\r\nx").await.unwrap();
    assert_eq!(status(&head(&mut stream).await), 200);
    assert_eq!(ask(&mut server.connect().await, "/").await, 200);
}

#[tokio::test]
async fn what_takes_too_long_gets_503() {
    let server = Server::plain(Limits { request_time: SHORT, ..limits() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /never HTTP/1.1\r\nhost: gateway\r\n\r\n").await.unwrap();
    let head = head(&mut stream).await;
    assert_eq!(status(&head), 503);
    assert!(head.contains("retry-after: 1\r\n") && head.contains("content-length: 0\r\n"), "{head}");
    assert_eq!(ask(&mut stream, "/").await, 200, "the connection is good for more");

    let mut http2 = server.h2c().await;
    assert_eq!(ask_h2(&mut http2, "/never").await, 503);
    assert_eq!(ask_h2(&mut http2, "/").await, 200);
}

#[tokio::test]
async fn nonsense_ends_its_own_connection_only() {
    let server = Server::plain(limits()).await;
    for nonsense in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n",
    ] {
        let mut stream = server.connect().await;
        stream.write_all(nonsense).await.unwrap();
        closed(&mut stream).await;
    }
    server.idle().await;
}

// The end.

#[tokio::test]
async fn draining_lets_requests_end_and_nothing_begin() {
    let server = Server::plain(limits()).await;
    let mut idle = server.idle().await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /gated HTTP/1.1\r\nhost: gateway\r\n\r\n").await.unwrap();
    let mut multiplexed = server.h2c().await;
    assert_eq!(ask_h2(&mut multiplexed, "/").await, 200);
    let gated = tokio::spawn(multiplexed.send_request(get("/gated")));
    // Both are in progress once a request behind them was answered.
    server.idle().await;
    assert_eq!(ask_h2(&mut multiplexed, "/").await, 200);

    server.trigger.begin();
    closed(&mut idle).await;
    soon(async { while TcpStream::connect(server.address).await.is_ok() {} }).await;
    assert!(!server.ended.is_finished(), "there are requests in flight");
    server.gate.send_replace(true);
    let answer = head(&mut busy).await;
    assert!(status(&answer) == 200 && answer.contains("connection: close\r\n"), "{answer}");
    assert_eq!(soon(gated).await.unwrap().unwrap().status(), 200);
    soon(server.ended).await.unwrap();
}

#[tokio::test]
async fn draining_ends_in_time_whoever_hangs_on() {
    let server = Server::plain(Limits { drain_time: SHORT, ..limits() }).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /never HTTP/1.1\r\nhost: gateway\r\n\r\n").await.unwrap();
    let mut begun = server.connect().await;
    begun.write_all(b"GET / HT").await.unwrap();
    let mut multiplexed = server.h2c().await;
    assert_eq!(ask_h2(&mut multiplexed, "/").await, 200);
    let never = tokio::spawn(multiplexed.send_request(get("/never")));
    server.idle().await;

    server.trigger.begin();
    soon(server.ended).await.unwrap();
    closed(&mut busy).await;
    closed(&mut begun).await;
    assert!(soon(never).await.unwrap().is_err());
}

#[tokio::test]
async fn a_trigger_that_is_gone_drains_too() {
    let (trigger, mut drain) = Drain::new();
    assert!(!drain.has_begun());
    drop(trigger);
    soon(drain.begun()).await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let server = Server::plain(limits()).await;
    let taken = config::Listener { address: server.address, ..plain() };
    let error = Listener::bind(&taken, &limits()).await.err().unwrap();
    assert_eq!(error.to_string(), format!("cannot listen on {}", server.address));
}

// TLS.

/// A certificate authority, with its certificates in a folder of its own.
struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Self { folder: tempfile::tempdir().unwrap(), issuer };
        authority.write("ca.pem", &authority.issuer.pem());
        authority.certify("localhost");
        authority
    }

    /// Writes a new certificate and its key to the files of the listener.
    fn certify(&self, name: &str) {
        let (certificate, key) = self.issue(name);
        self.write("certificate.pem", &certificate);
        self.write("key.pem", &key);
    }

    fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.folder.path().join(file), text).unwrap();
    }

    fn files(&self) -> config::Tls {
        let file = |name: &str| self.folder.path().join(name);
        config::Tls { certificate: file("certificate.pem"), key: file("key.pem"), client_ca: None }
    }

    fn for_clients_of(&self, authority: &Self) -> config::Tls {
        config::Tls { client_ca: Some(authority.folder.path().join("ca.pem")), ..self.files() }
    }

    /// Makes a client that trusts this authority, with a client certificate if there is one.
    fn connector(&self, protocols: &[&str], identity: Option<(String, String)>) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
                    PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
                )
                .unwrap(),
        };
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        TlsConnector::from(Arc::new(config))
    }
}

fn under_tls(tls: config::Tls) -> config::Listener {
    config::Listener { tls: Some(tls), ..plain() }
}

async fn handshake(
    server: &Server,
    connector: &TlsConnector,
    name: &'static str,
) -> io::Result<client::TlsStream<TcpStream>> {
    soon(connector.connect(ServerName::try_from(name).unwrap(), server.connect().await)).await
}

/// Returns true if a request passes: only then does TLS 1.3 tell a client that its certificate was refused.
async fn is_answered(server: &Server, connector: &TlsConnector, name: &'static str) -> bool {
    let Ok(mut stream) = handshake(server, connector, name).await else { return false };
    stream.write_all(REQUEST).await.is_ok() && head(&mut stream).await.starts_with("HTTP/1.1 200")
}

#[tokio::test]
async fn tls_speaks_what_was_agreed_on() {
    let authority = Authority::new();
    let server = Server::start(&under_tls(authority.files()), limits()).await;
    assert!(is_answered(&server, &authority.connector(&["http/1.1"], None), "localhost").await);
    assert!(is_answered(&server, &authority.connector(&[], None), "localhost").await);
    let stream = handshake(&server, &authority.connector(&["h2", "http/1.1"], None), "localhost").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    assert_eq!(ask_h2(&mut h2(stream).await, "/").await, 200);
    // Another protocol, another name, no TLS.
    assert!(handshake(&server, &authority.connector(&["spdy/3"], None), "localhost").await.is_err());
    assert!(handshake(&server, &authority.connector(&[], None), "other").await.is_err());
    let mut plain = server.connect().await;
    plain.write_all(REQUEST).await.unwrap();
    assert!(!head(&mut plain).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_handshake_that_stands_still_is_cut_off() {
    let authority = Authority::new();
    let server = Server::start(&under_tls(authority.files()), Limits { header_time: SHORT, ..limits() }).await;
    closed(&mut server.connect().await).await;
    let mut silent = handshake(&server, &authority.connector(&[], None), "localhost").await.unwrap();
    closed(&mut silent).await;
}

#[tokio::test]
async fn clients_show_a_certificate_where_they_have_to() {
    let (authority, clients, strangers) = (Authority::new(), Authority::new(), Authority::new());
    let server = Server::start(&under_tls(authority.for_clients_of(&clients)), limits()).await;
    for (case, identity, passes) in [
        ("none", None, false),
        ("another authority's", Some(strangers.issue("client")), false),
        ("the authority's", Some(clients.issue("client")), true),
    ] {
        let connector = authority.connector(&[], identity);
        assert_eq!(is_answered(&server, &connector, "localhost").await, passes, "{case}");
    }
}

#[tokio::test]
async fn a_certificate_is_replaced_while_connections_go_on() {
    let authority = Authority::new();
    let server = Server::start(&under_tls(authority.files()), limits()).await;
    let connector = authority.connector(&[], None);
    let mut old = handshake(&server, &connector, "localhost").await.unwrap();

    authority.certify("renewed");
    let tls = server.tls.clone().unwrap();
    let renewal = tls.prepare(&authority.files()).unwrap();
    assert!(is_answered(&server, &connector, "localhost").await, "not before the commit");
    renewal.commit();
    assert!(is_answered(&server, &connector, "renewed").await);
    assert!(!is_answered(&server, &authority.connector(&[], None), "localhost").await);
    assert_eq!(ask(&mut old, "/").await, 200);
}

#[tokio::test]
async fn a_bad_replacement_changes_nothing() {
    let authority = Authority::new();
    let server = Server::start(&under_tls(authority.files()), limits()).await;
    let tls = server.tls.clone().unwrap();
    let (certificate, key) = authority.issue("other");
    let secret = "c2VjcmV0IHNlY3JldCBzZWNyZXQ";
    let cases = [
        ("certificate.pem", certificate.as_str(), "the private key is not the one"),
        ("certificate.pem", "", "has no well-formed certificates in PEM"),
        ("certificate.pem", key.as_str(), "has no well-formed certificates in PEM"),
        ("key.pem", "", "has no well-formed private key in PEM"),
        ("key.pem", &format!("-----BEGIN {secret}\n"), "has no well-formed private key in PEM"),
        ("key.pem", &format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----\n"), "cannot be used"),
    ];
    for (file, text, message) in cases {
        authority.certify("localhost");
        authority.write(file, text);
        let error = tls.prepare(&authority.files()).unwrap_err();
        assert!(error.to_string().contains(message), "{file}: {error}");
        assert!(!format!("{error:?}").contains(secret), "{error:?}");
        assert!(is_answered(&server, &authority.connector(&[], None), "localhost").await, "{file}: {message}");
    }
    let missing = config::Tls { key: Path::new("/nonexistent").into(), ..authority.files() };
    authority.certify("localhost");
    assert_eq!(tls.prepare(&missing).unwrap_err().to_string(), "cannot read /nonexistent");
    let mut clientless = authority.files();
    clientless.client_ca = Some(authority.files().key);
    assert!(tls.prepare(&clientless).is_err());
}
