//! Servers of actix-web with two workers, over real connections.

use std::{
    convert::Infallible,
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    pin::Pin,
    sync::mpsc,
    task::{Context, Poll},
    thread::{self, JoinHandle},
    time::Duration,
};

use actix_web::{
    App, HttpResponse, HttpServer,
    body::{BodySize, MessageBody},
    dev::ServerHandle,
    rt::System,
    web,
};
use bytes::Bytes;
use portcullis::{Access, ClientCertificate, Secure};
use portcullis_testkit::{Endpoint, Fault};

use super::who;
use crate::{
    client_certificate::{OTHER, OWN, bound},
    support::Setup,
};

/// A server on its own thread; stopped when dropped.
struct Running {
    address: SocketAddr,
    handle: ServerHandle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    fn start(secure: Secure, optional: Secure) -> Self {
        Self::start_with(secure, optional, None)
    }

    /// Starts a server whose connections have this certificate.
    fn start_with(secure: Secure, optional: Secure, certificate: Option<ClientCertificate>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let app = move || {
            App::new()
                .service(web::resource("/optional").wrap(optional.clone()).to(who))
                .service(web::resource("/who").wrap(secure.clone()).to(who))
                .service(web::resource("/length").wrap(secure.clone()).to(length))
                .service(web::resource("/streamed").wrap(secure.clone()).to(streamed))
                .service(web::resource("/panics").wrap(secure.clone()).to(panics))
        };
        let (sender, receiver) = mpsc::channel();
        let thread = thread::spawn(move || {
            System::new().block_on(async move {
                let server = HttpServer::new(app).workers(2).disable_signals().on_connect(move |_, connection| {
                    if let Some(certificate) = certificate {
                        connection.insert(certificate);
                    }
                });
                let server = server.listen(listener)?.run();
                let _ = sender.send(server.handle());
                server.await
            })
        });
        Self { address, handle: receiver.recv().unwrap(), thread: Some(thread) }
    }

    fn connect(&self) -> Client {
        Client { stream: BufReader::new(TcpStream::connect(self.address).unwrap()) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The command is sent at once; only its end would have to be awaited.
        drop(self.handle.stop(false));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

async fn length(body: Bytes) -> String {
    body.len().to_string()
}

async fn streamed() -> HttpResponse<Ticks> {
    HttpResponse::Ok().message_body(Ticks(3)).unwrap()
}

async fn panics(access: Access) -> String {
    panic!("on purpose, for {}", access.claims().subject().is_some())
}

/// A streaming body.
struct Ticks(u8);

impl MessageBody for Ticks {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        self.0 = match self.0.checked_sub(1) {
            Some(left) => left,
            None => return Poll::Ready(None),
        };
        Poll::Ready(Some(Ok(Bytes::from_static(b"tick "))))
    }
}

/// A connection that is kept alive.
struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    fn get(&mut self, path: &str, token: &str) -> io::Result<(u16, String)> {
        self.send("GET", path, token, b"")
    }

    fn send(&mut self, method: &str, path: &str, token: &str, body: &[u8]) -> io::Result<(u16, String)> {
        let authorization = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: a\r\n{authorization}Content-Length: {length}\r\n\r\n");
        self.stream.get_mut().write_all(&[head.as_bytes(), body].concat())?;
        self.response()
    }

    fn response(&mut self) -> io::Result<(u16, String)> {
        let status = self.line()?.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut length = None;
        loop {
            let line = self.line()?.to_ascii_lowercase();
            match line.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().ok(),
                Some(_) => {}
                None => break,
            }
        }
        let body = match length {
            Some(length) => self.exactly(length)?,
            None => self.chunks()?,
        };
        Ok((status, body))
    }

    fn chunks(&mut self) -> io::Result<String> {
        let mut body = String::new();
        loop {
            let length = usize::from_str_radix(&self.line()?, 16).unwrap();
            body += &self.exactly(length)?;
            self.line()?;
            if length == 0 {
                return Ok(body);
            }
        }
    }

    fn exactly(&mut self, length: usize) -> io::Result<String> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes)?;
        Ok(String::from_utf8(bytes).unwrap())
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }
}

/// Runs blocking code while the authorization server goes on in this runtime.
async fn blocking<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn secured(setup: &Setup) -> Running {
    let secure = Secure::new(setup.jwks.clone());
    Running::start(secure.clone(), secure.optional())
}

#[tokio::test]
async fn on_one_connection_each_request_is_judged_for_itself() {
    let setup = Setup::new().await;
    let (alice, bob) = (setup.server.token().subject("alice").sign(), setup.server.token().subject("bob").sign());
    blocking(move || {
        let running = secured(&setup);
        let mut client = running.connect();
        let table = [
            ("/who", "", 401, ""),
            ("/who", &alice, 200, "alice"),
            ("/who", "x.y.z", 403, ""),
            ("/who", "", 401, ""),
            ("/optional", &alice, 200, "alice"),
            ("/optional", "", 200, "anonymous"),
            ("/who", &bob, 200, "bob"),
            ("/optional", "x.y.z", 403, ""),
            ("/optional", "", 200, "anonymous"),
            ("/streamed", &alice, 200, "tick tick tick "),
            ("/streamed", "", 401, ""),
            ("/who", &alice, 200, "alice"),
        ];
        for (row, (path, token, status, body)) in table.into_iter().enumerate() {
            assert_eq!(client.get(path, token).unwrap(), (status, body.to_owned()), "row {row}");
        }
        let body = vec![b'x'; 50_000];
        assert_eq!(client.send("POST", "/length", &alice, &body).unwrap(), (200, "50000".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn workers_share_keys_and_one_fetch_is_enough_for_all() {
    let setup = Setup::new().await;
    let tokens: Vec<_> = (0..12).map(|n| setup.server.token().subject(n.to_string()).sign()).collect();
    let setup = blocking(move || {
        let running = secured(&setup);
        let clients: Vec<_> = tokens.iter().map(|token| (running.connect(), token.clone())).collect();
        let asking = clients.into_iter().enumerate().map(|(n, (mut client, token))| {
            thread::spawn(move || {
                for _ in 0..3 {
                    assert_eq!(client.get("/who", &token).unwrap(), (200, n.to_string()));
                    assert_eq!(client.get("/who", "").unwrap().0, 401);
                }
            })
        });
        for thread in asking.collect::<Vec<_>>() {
            thread.join().unwrap();
        }
        drop(running);
        setup
    })
    .await;
    assert_eq!(setup.server.requests(Endpoint::Jwks), 1);
}

#[tokio::test]
async fn a_handler_that_panics_ends_its_connection_and_nothing_else() {
    let setup = Setup::new().await;
    let token = setup.server.token().sign();
    blocking(move || {
        let running = secured(&setup);
        assert_eq!(running.connect().get("/who", &token).unwrap().0, 200);
        for _ in 0..4 {
            let mut client = running.connect();
            assert!(client.get("/panics", &token).is_err());
            assert_eq!(running.connect().get("/panics", "").unwrap().0, 401);
            assert_eq!(running.connect().get("/optional", "").unwrap(), (200, "anonymous".to_owned()));
            assert_eq!(running.connect().get("/who", &token).unwrap(), (200, "alice".to_owned()));
        }
    })
    .await;
}

#[tokio::test]
async fn workers_that_end_while_they_fetch_keep_nobody_waiting_and_others_fetch_after_them() {
    let setup = Setup::new().await;
    setup.server.fault(Endpoint::Jwks, Fault::Hang);
    let (ends, goes_on) = (secured(&setup), secured(&setup));
    let token = setup.server.token().sign();
    let ask = |running: &Running| {
        let (mut client, token) = (running.connect(), token.clone());
        thread::spawn(move || client.get("/who", &token))
    };
    let abandoned = ask(&ends);
    setup.server.wait_for_requests(Endpoint::Jwks, 1).await;
    let waits = ask(&goes_on);
    blocking(move || drop(ends)).await;
    setup.server.heal(Endpoint::Jwks);
    let answers = blocking(move || (abandoned.join().unwrap(), waits.join().unwrap())).await;
    assert!(answers.0.is_err(), "its connection ended");
    // Which of the two it is depends on whether it came before the end.
    assert!([200, 503].contains(&answers.1.unwrap().0), "answered in any case");

    setup.clock.advance(Duration::from_secs(60));
    let again = ask(&goes_on);
    assert_eq!(blocking(move || again.join().unwrap()).await.unwrap(), (200, "alice".to_owned()));
    blocking(move || drop(goes_on)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_of_a_connection_is_judged() {
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone());
    let (bound, plain) = (bound(&setup).sign(), setup.server.token().sign());
    for (certificate, status) in [(Some(OWN), 200), (Some(OTHER), 401), (None, 401)] {
        let server = Running::start_with(secure.clone(), secure.clone(), certificate);
        let mut client = server.connect();
        for _ in 0..2 {
            assert_eq!(client.get("/who", &bound).unwrap().0, status);
            assert_eq!(client.get("/who", &plain).unwrap().0, 200);
        }
    }
}
