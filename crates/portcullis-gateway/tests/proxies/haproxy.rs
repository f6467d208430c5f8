//! Matters of HAProxy alone: its Lua action, after whose failure it goes on with the request.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::{
    client::{ask, ask_with},
    scene::{Proxy, Scene, Stage},
};

const ACTION: &str = "examples/haproxy/portcullis.lua";
const CONFIGURATION: &str = "examples/haproxy/haproxy.cfg";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_passes_when_the_action_fails() {
    let asks = "core.httpclient():get({ url = url, headers = question(txn), timeout = TIMEOUT })";
    for (what, old, new) in [
        ("an error", asks, "error('broken')"),
        ("no answer", asks, "{}"),
        ("no status", asks, "{ headers = {} }"),
        ("a redirection", asks, "{ status = 302, headers = {} }"),
        ("another success", asks, "{ status = 204, headers = {} }"),
        ("an error after the answer", "txn:set_var(\"txn.portcullis_passes\"", "error('broken') txn:set_var(\"\""),
        ("a port that nobody has", asks, "core.httpclient():get({ url = 'http://127.0.0.1:1/auth' })"),
        ("a name that nobody has", asks, "core.httpclient():get({ url = 'http://portcullis.invalid/auth' })"),
    ] {
        let stage = Stage::set();
        stage.edit(ACTION, old, new);
        let scene = Scene::on(stage, Proxy::Haproxy).await;
        let token = scene.read().sign();
        for (line, token) in [("GET /orders/1", Some(token.as_str())), ("GET /health", None)] {
            let refused = scene.ask(line, token).await;
            assert_eq!((refused.status, refused.all("retry-after")), (503, vec!["1"]), "{what}: {refused:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_hangs_lets_nothing_pass() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stage = Stage::set();
    stage.edit(ACTION, "local TIMEOUT = 20000", "local TIMEOUT = 100");
    let asked = format!("127.0.0.1:{}/auth", stage.ports.gateway[0]);
    stage.edit(CONFIGURATION, &asked, &format!("127.0.0.1:{}/auth", silent.local_addr().unwrap().port()));
    let scene = Scene::on(stage, Proxy::Haproxy).await;
    assert_eq!(scene.ask("GET /orders/1", Some(&scene.read().sign())).await.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_judgement_is_for_one_request_of_a_connection() {
    let mut scene = Scene::with(Proxy::Haproxy).await;
    let token = scene.read().sign();
    let request = |connection: &str| {
        format!(
            "GET /orders/1 HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer {token}\r\nConnection: {connection}\r\n\r\n"
        )
    };
    let mut stream = TcpStream::connect(("127.0.0.1", scene.stage.ports.proxy)).await.unwrap();
    stream.write_all(request("keep-alive").as_bytes()).await.unwrap();
    let mut first = Vec::new();
    while !first.ends_with(b"}\n\r\n0\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut first).await.unwrap(), 0, "{}", String::from_utf8_lossy(&first));
    }
    assert!(first.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&first));
    scene.gateway.kill();
    stream.write_all(request("close").as_bytes()).await.unwrap();
    let mut second = String::new();
    stream.read_to_string(&mut second).await.unwrap();
    assert!(second.starts_with("HTTP/1.1 503") && !second.contains("headers"), "{second}");
}

/// Without room, HAProxy leaves a field out: the API would take the request for an anonymous one.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_room_for_the_fields_does_not_pass() {
    let stage = Stage::set();
    stage.edit(CONFIGURATION, "tune.bufsize 65536", "tune.bufsize 16384");
    stage.edit(CONFIGURATION, "tune.maxrewrite 24576", "tune.maxrewrite 1024");
    let scene = Scene::on(stage, Proxy::Haproxy).await;
    for size in [6_000, 9_000, 10_000, 12_000] {
        let opaque = scene.authorization.issue_opaque(scene.read().claim("padding", "a".repeat(size)));
        let padding = "a".repeat(5_000);
        let bearer = format!("Bearer {opaque}");
        let fields = [("Authorization", bearer.as_str()), ("X-Padding", &padding)];
        let answer = ask(scene.stage.ports.proxy, "GET /orders/1", &fields).await;
        if answer.status != 200 {
            assert!(answer.status >= 500, "{size}: {answer:?}");
            continue;
        }
        let echo = answer.echo();
        assert_eq!(echo.all("x-auth-subject"), ["alice"], "{size}");
        assert!(echo.all("authorization")[0].len() > size, "{size}");
    }
    let answer = ask_with(scene.stage.ports.proxy, "GET /orders/1", &scene.opaque()).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_reach_the_client_as_they_are() {
    let stage = Stage::set();
    stage.edit("examples/gateway/portcullis.toml", "realm = \"orders\"", "realm = \"orders\"\nproblem_json = true");
    let scene = Scene::on(stage, Proxy::Haproxy).await;
    let refused = scene.ask("POST /orders/1", Some(&scene.read().sign())).await;
    assert_eq!((refused.status, refused.all("content-type")), (403, vec!["application/problem+json"]), "{refused:?}");
    assert!(refused.body.contains("insufficient_scope"), "{refused:?}");
}
