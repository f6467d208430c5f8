//! Many requests on one connection, and requests in unusual forms.

use std::time::Duration;

use portcullis_testkit::{Endpoint, Fault};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};

use crate::{
    scene::{Answer, Scene, ask, exchange, read},
    site::{introspecting, site},
};

/// The time limit of an answer.
const PATIENCE: Duration = Duration::from_secs(30);

const ROUTES: &str = "
[[routes]]
path = \"/public/*\"
public = true
[[routes]]
path = \"/problem/*\"
scope = [\"admin\"]
problem_json = true
[[routes]]
path = \"/*\"
scope = [\"read\"]
[[headers]]
name = \"X-Auth-Subject\"
claim = \"sub\"
";

async fn scene(listen: &str) -> Scene {
    let http = format!(
        "large_client_header_buffers 4 32k;
         server {{ listen {{port}}{listen}; portcullis_config portcullis.toml; location / {{ proxy_pass http://{{api}}; }} }}"
    );
    site(&[("portcullis.toml", &format!("{}{ROUTES}", introspecting("json")))], &http).await
}

/// A connection for many requests.
struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    async fn open(scene: &Scene) -> Self {
        Self { stream: TcpStream::connect(("127.0.0.1", scene.port)).await.unwrap(), read: Vec::new() }
    }

    async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads the next answer, which has a `Content-Length`.
    async fn answer(&mut self) -> Answer {
        loop {
            if let Some(answer) = self.whole() {
                return answer;
            }
            let mut more = [0; 4096];
            let size = timeout(PATIENCE, self.stream.read(&mut more)).await.expect("an answer in time").unwrap();
            assert!(size > 0, "expected an answer, got the end of the connection: {:?}", self.read);
            self.read.extend_from_slice(&more[..size]);
        }
    }

    fn whole(&mut self) -> Option<Answer> {
        let text = String::from_utf8_lossy(&self.read).into_owned();
        let (head, _) = text.split_once("\r\n\r\n")?;
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let end = head.len() + 4 + length.unwrap_or(0);
        (text.len() >= end).then(|| {
            self.read.drain(..end);
            read(&text[..end])
        })
    }
}

fn request(path: &str, token: Option<&str>) -> String {
    let field = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nHost: api.example.com\r\nX-Auth-Subject: root\r\n{field}\r\n")
}

/// Returns requests by turns: their token, and the subject that the API is told, or else the status.
fn by_turns(scene: &Scene, count: usize) -> Vec<(Option<String>, Result<String, u16>)> {
    let one = |number: usize| {
        let subject = format!("user-{number}");
        let good = scene.read().subject(subject.as_str());
        match number % 6 {
            0 | 1 => (Some(good.sign()), Ok(subject)),
            2 | 3 => (Some(scene.authorization.issue_opaque(good)), Ok(subject)),
            4 => (Some(good.scope("write").sign()), Err(403)),
            _ if number.is_multiple_of(4) => (None, Err(401)),
            _ => (Some(format!("unknown-{number}")), Err(401)),
        }
    };
    (0..count).map(one).collect()
}

fn check(answer: &Answer, path: &str, expected: &Result<String, u16>) {
    match expected {
        Ok(subject) => {
            let echo = answer.echo();
            assert_eq!((echo.target(), echo.all("x-auth-subject")), (path, vec![subject.as_str()]), "{echo:?}");
        }
        Err(status) => assert_eq!(answer.status, *status, "{path} {answer:?}"),
    }
}

#[tokio::test]
async fn each_request_of_a_connection_is_judged_by_itself() {
    let scene = scene("").await;
    let requests = by_turns(&scene, 60);
    let mut connection = Connection::open(&scene).await;
    for (index, (token, expected)) in requests.iter().enumerate() {
        let path = format!("/{index}");
        connection.send(&request(&path, token.as_deref())).await;
        check(&connection.answer().await, &path, expected);
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let scene = scene("").await;
    let requests = by_turns(&scene, 60);
    let mut connection = Connection::open(&scene).await;
    let path = |index: usize| format!("/{index}");
    let all: String =
        requests.iter().enumerate().map(|(index, (token, _))| request(&path(index), token.as_deref())).collect();
    connection.send(&all).await;
    for (index, (_, expected)) in requests.iter().enumerate() {
        check(&connection.answer().await, &path(index), expected);
    }
}

#[tokio::test]
async fn requests_behind_one_that_waits_wait_for_it_and_those_of_other_connections_do_not() {
    let scene = scene("").await;
    let (jwt, opaque) =
        (scene.read().subject("bob").sign(), scene.authorization.issue_opaque(scene.read().subject("alice")));
    assert_eq!(scene.ask("GET /x", Some(&jwt)).await.status, 200);
    scene.authorization.fault(Endpoint::Introspection, Fault::Hang);
    let mut connection = Connection::open(&scene).await;
    let post = |token: &str, body: &str| {
        let length = format!("\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        request("/body", Some(token)).replace("GET", "POST").replace("\r\n\r\n", &length)
    };
    let waiting = post(&opaque, "a body of 24 characters.");
    let (first, second) = waiting.split_at(waiting.len() - 12);
    connection.send(first).await;
    scene.authorization.wait_for_requests(Endpoint::Introspection, 1).await;
    connection.send(second).await;
    connection.send(&request("/second", Some(&jwt))).await;
    connection.send(&request("/third", None)).await;
    for _ in 0..3 {
        assert_eq!(scene.ask("GET /x", Some(&jwt)).await.echo().all("x-auth-subject"), ["bob"]);
    }
    assert!(connection.whole().is_none());
    scene.authorization.heal(Endpoint::Introspection);
    let answer = connection.answer().await;
    assert!(answer.body.contains("\"length\":24"), "{answer:?}");
    check(&answer, "/body", &Ok("alice".to_owned()));
    check(&connection.answer().await, "/second", &Ok("bob".to_owned()));
    check(&connection.answer().await, "/third", &Err(401));
}

#[tokio::test]
async fn a_refusal_with_a_body_leaves_the_connection_to_the_next_request() {
    let scene = scene("").await;
    let (jwt, unread) = (scene.read().subject("bob").sign(), "x".repeat(100_000));
    let mut connection = Connection::open(&scene).await;
    for round in 0..12 {
        let token = match round % 3 {
            0 => None,
            1 => Some(scene.authorization.issue_opaque(scene.read())),
            _ => Some(jwt.clone()),
        };
        let length = format!("\r\nContent-Length: {}\r\n\r\n{unread}", unread.len());
        let refused = request("/problem/x", token.as_deref()).replace("GET", "POST").replace("\r\n\r\n", &length);
        connection.send(&(refused + &request("/next", Some(&jwt)))).await;
        let answer = connection.answer().await;
        let status = if token.is_some() { 403 } else { 401 };
        assert_eq!(
            (answer.status, answer.all("content-type")),
            (status, vec!["application/problem+json"]),
            "{answer:?}"
        );
        check(&connection.answer().await, "/next", &Ok("bob".to_owned()));
    }
    let client = reqwest::Client::new();
    let url = format!("http://127.0.0.1:{}/problem/x", scene.port);
    let head = client.head(url).bearer_auth(&jwt).send().await.unwrap();
    assert_eq!(head.status(), 403);
}

#[tokio::test]
async fn streams_of_http_2_wait_and_are_judged_each_by_itself() {
    let scene = scene(" http2").await;
    let client = reqwest::Client::builder().http2_prior_knowledge().timeout(PATIENCE).build().unwrap();
    let url = |path: &str| format!("http://127.0.0.1:{}{path}", scene.port);
    let send = |path: &str, token: Option<&str>| {
        let request = client.post(url(path)).header("x-auth-subject", "root").body("x".repeat(20_000));
        token.into_iter().fold(request, |request, token| request.bearer_auth(token))
    };
    let read = async |response: reqwest::Response| {
        let fields = response.headers().iter();
        let fields = fields.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        Answer { status: response.status().as_u16(), fields, body: response.text().await.unwrap() }
    };
    for round in 0..3 {
        scene.authorization.fault(Endpoint::Introspection, Fault::Delay(Duration::from_millis(50)));
        let mut streams = JoinSet::new();
        for (index, (token, expected)) in by_turns(&scene, 96).into_iter().enumerate() {
            let path = format!("/{round}/{index}");
            let request = send(&path, token.as_deref());
            // Some clients lose their patience.
            let is_impatient = index.is_multiple_of(11);
            streams.spawn(async move {
                match is_impatient {
                    true => {
                        timeout(Duration::from_millis(20), request.send()).await.ok().map(|sent| (path, expected, sent))
                    }
                    false => Some((path, expected, request.send().await)),
                }
            });
        }
        let mut answered = 0;
        while let Some(stream) = streams.join_next().await {
            let Some((path, expected, response)) = stream.unwrap() else { continue };
            let answer = read(response.unwrap()).await;
            check(&answer, &path, &expected);
            answered += 1;
        }
        assert!(answered >= 87, "{answered}");
    }
    let (jwt, opaque) = (scene.read().sign(), scene.authorization.issue_opaque(scene.read()));
    let mut streams = JoinSet::new();
    for token in [Some(jwt.as_str()), Some(opaque.as_str()), None].into_iter().cycle().take(30) {
        let (request, status) = (send("/problem/x", token), if token.is_some() { 403 } else { 401 });
        streams.spawn(async move {
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), status);
            assert!(response.text().await.unwrap().starts_with('{'), "a refusal with a body");
        });
    }
    while let Some(stream) = streams.join_next().await {
        stream.unwrap();
    }
    assert!(!scene.nginx.log().contains("exited on signal"), "the worker has lived through it");
}

#[tokio::test]
async fn unusual_forms_of_requests() {
    let scene = scene("").await;
    let token = scene.read().subject("alice").sign();
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let host = "Host: api.example.com\r\nConnection: close\r\n";
    for (request, without, with) in [
        ("GET /x HTTP/1.0\r\n".to_owned(), 401, 200),
        ("GET /public/x HTTP/1.0\r\n".to_owned(), 200, 200),
        (format!("GET http://api.example.com/x HTTP/1.1\r\n{host}"), 401, 200),
        (format!("GET http://api.example.com/public/x HTTP/1.1\r\n{host}"), 200, 200),
        (format!("GET http://api.example.com/public/../x HTTP/1.1\r\n{host}"), 403, 403),
        (format!("GET http://api.example.com HTTP/1.1\r\n{host}"), 401, 200),
        (format!("GET http://other.example/public/x HTTP/1.1\r\n{host}"), 200, 200),
        (format!("GET /x HTTP/1.1\r\n{host}Host: other.example\r\n"), 400, 400),
        ("GET /x HTTP/1.1\r\nConnection: close\r\n".to_owned(), 400, 400),
        (format!("HEAD /x HTTP/1.1\r\n{host}"), 401, 200),
        (format!("OPTIONS /x HTTP/1.1\r\n{host}"), 401, 200),
        (format!("OPTIONS * HTTP/1.1\r\n{host}"), 400, 400),
        (format!("TRACE /x HTTP/1.1\r\n{host}"), 405, 405),
        (format!("PROPFIND /x HTTP/1.1\r\n{host}"), 401, 200),
        (format!("UNKNOWN-METHOD /x HTTP/1.1\r\n{host}"), 401, 200),
        (format!("get /x HTTP/1.1\r\n{host}"), 400, 400),
        (format!("GET /x HTTP/1.1\r\n{host}Authorization: \r\n"), 401, 400),
        (format!("GET /x HTTP/1.1\r\n{host}Authorization: Bearer\r\n"), 401, 400),
        (format!("GET /x HTTP/1.1\r\n{host}Authorization: Basic eDp5\r\n"), 401, 400),
        (format!("GET /x?access_token={token} HTTP/1.1\r\n{host}"), 401, 200),
        (format!("GET /public/..;/x HTTP/1.1\r\n{host}"), 403, 403),
        (format!("GET /public/%2e%2e/x HTTP/1.1\r\n{host}"), 403, 403),
        (format!("GET /x#/public/x HTTP/1.1\r\n{host}"), 401, 200),
        (format!("GET /public/x HTTP/1.1\r\n{host}X-Original-URL: /x\r\n"), 403, 403),
        (format!("GET /public/x HTTP/1.1\r\n{host}X-HTTP-Method-Override: DELETE\r\n"), 200, 200),
    ] {
        for (fields, status) in [("", without), (bearer.as_str(), with)] {
            let answer = exchange(scene.port, &format!("{request}{fields}\r\n")).await;
            assert_eq!(answer.status, status, "{request:?} {fields:?} {answer:?}");
        }
    }
    // An answer of HTTP/0.9 has no head.
    let mut stream = TcpStream::connect(("127.0.0.1", scene.port)).await.unwrap();
    stream.write_all(b"GET /x\r\n").await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.contains("401 Authorization Required"), "{answer}");
}

#[tokio::test]
async fn large_fields_and_many_of_them() {
    let scene = scene("").await;
    let large = scene.read().subject("alice").claim("large", "x".repeat(9_000)).sign();
    assert_eq!(scene.ask("GET /x", Some(&large)).await.echo().all("x-auth-subject"), ["alice"]);
    assert_eq!(scene.ask("GET /x", Some(&"x".repeat(40_000))).await.status, 400, "nginx refuses it");
    assert_eq!(scene.ask("GET /x", Some(&"x".repeat(30_000))).await.status, 401, "the module refuses it");

    let (names, bearer) = ((0..90).map(|index| format!("x-{index}")), format!("Bearer {large}"));
    let names: Vec<_> = names.collect();
    for place in [0, 1, 19, 20, 21, 40, 89, 90] {
        let mut fields: Vec<_> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
        fields.insert(place, ("X-Auth-Subject", "root"));
        fields.insert(fields.len() - place, ("Authorization", &bearer));
        let echo = ask(scene.port, "GET /x", &fields).await.echo();
        assert_eq!((echo.all("x-auth-subject"), echo.all("authorization")), (vec!["alice"], vec![bearer.as_str()]));
        for name in &names {
            assert_eq!(echo.all(name), [name], "{place} {echo:?}");
        }
    }
    let fields: Vec<_> = (0..50).flat_map(|_| [("X-Auth-Subject", "root"), ("X-Twice", "a")]).collect();
    let echo = ask(scene.port, "GET /public/x", &fields).await.echo();
    assert_eq!((echo.all("x-auth-subject").len(), echo.all("x-twice").len()), (0, 50));
}
