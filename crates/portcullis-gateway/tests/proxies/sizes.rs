//! Tokens of the largest allowed size, and requests that could make a proxy take the gateway for dead.

use portcullis_testkit::TokenBuilder;

use crate::{
    client::{ask, ask_with, exchange},
    each_proxy::behind_each_proxy,
    process::{Process, until},
    scene::{Proxy, Scene, Stage},
};

/// The default size limit of a token.
const LARGEST: usize = 16 * 1024;

behind_each_proxy!(the_largest_tokens_pass, what_a_client_sends_harms_nobody_else);

/// Makes a token of this size, or a few bytes less.
fn of_size(size: usize, token: impl Fn() -> TokenBuilder) -> TokenBuilder {
    let padded = |bytes: usize| token().claim("padding", "a".repeat(bytes));
    let padding = (size - padded(0).sign().len()) * 3 / 4 - 2;
    let length = padded(padding).sign().len();
    assert!(length <= size && length > size - 10, "{length}");
    padded(padding)
}

/// Returns true if the upstream gets the client's own `Authorization` on a public path.
fn keeps_unjudged(proxy: Proxy) -> bool {
    !matches!(proxy, Proxy::Traefik | Proxy::Haproxy)
}

async fn the_largest_tokens_pass(proxy: Proxy) {
    let scene = Scene::with(proxy).await;
    let port = scene.stage.ports.proxy;
    let cookie = "a".repeat(4_000);
    let read = of_size(LARGEST, || scene.read());
    let jwt = read.sign();
    let opaque = scene.authorization.issue_opaque(of_size(LARGEST, || scene.read()));
    let send = async |line: &str, token: &str| {
        ask(port, line, &[("Cookie", &cookie), ("Authorization", &format!("Bearer {token}")), ("X-Other", "1")]).await
    };
    for _ in 0..2 {
        let echo = send("GET /orders/1", &jwt).await.echo();
        assert_eq!(echo.all("x-auth-subject"), ["alice"]);
        assert_eq!(echo.all("authorization"), [format!("Bearer {jwt}")]);
        let echo = send("GET /orders/1", &opaque).await.echo();
        assert_eq!(echo.all("x-auth-subject"), ["alice"]);
        let [handed_on] = echo.all("authorization")[..] else { panic!("{echo:?}") };
        assert!(handed_on.len() > LARGEST - 10 && handed_on.matches('.').count() == 2, "{}", handed_on.len());
    }
    let too_large = send("GET /orders/1", &of_size(LARGEST + 200, || scene.read()).sign()).await;
    assert!((400..500).contains(&too_large.status), "{too_large:?}");

    // On a public path it is not judged; it is forwarded unchanged, or not at all.
    for token in [&jwt, &opaque, &"a".repeat(LARGEST)] {
        let echo = send("GET /health", token).await.echo();
        let expected = if keeps_unjudged(proxy) { vec![format!("Bearer {token}")] } else { Vec::new() };
        assert_eq!(echo.all("authorization"), expected);
        assert!(echo.all("x-auth-subject").iter().all(|value| value.is_empty()), "{echo:?}");
    }
    let echo = ask(port, "GET /health", &[("Authorization", "Basic {env.HOME}")]).await.echo();
    let expected: &[&str] = if keeps_unjudged(proxy) { &["Basic {env.HOME}"] } else { &[] };
    assert_eq!(echo.all("authorization"), expected, "nothing of the proxy's is put in");
}

async fn what_a_client_sends_harms_nobody_else(proxy: Proxy) {
    let scene = Scene::with(proxy).await;
    let token = scene.read().sign();
    nobody_is_harmed(scene.stage.ports.proxy, &token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_sends_harms_nobody_else_with_nginx_before_two() {
    let stage = Stage::set();
    let first = format!("server 127.0.0.1:{} max_fails=0;", stage.ports.gateway[0]);
    let second = format!("server 127.0.0.1:{} max_fails=0;", stage.ports.second[0]);
    stage.edit("examples/nginx/nginx.conf", &first, &format!("{first} {second}"));
    let mut text = std::fs::read_to_string(stage.path("examples/gateway/portcullis.toml")).unwrap();
    for (port, other) in stage.ports.gateway.into_iter().zip(stage.ports.second) {
        text = text.replace(&format!("127.0.0.1:{port}"), &format!("127.0.0.1:{other}"));
    }
    std::fs::write(stage.path("examples/gateway/second.toml"), text).unwrap();
    let line = "portcullis serve --config examples/gateway/second.toml";
    let scene = Scene::on(stage, Proxy::Nginx).await;
    let _second = Process::typed(line, &scene.stage.path("")).listening(scene.stage.ports.second[1]).await;
    let token = scene.read().sign();
    let door = scene.stage.ports.second[0];
    until("the second has keys", async || ask_with(door, "GET /orders/1", &token).await.status == 200).await;
    nobody_is_harmed(scene.stage.ports.proxy, &token).await;
}

/// Sends hostile requests, and an honest one after each.
pub(crate) async fn nobody_is_harmed(port: u16, token: &str) {
    let bearer = format!("Bearer {token}");
    let passes = async |after: &str| {
        for line in ["GET /orders/1", "GET /health"] {
            let answer = ask(port, line, &[("Authorization", &bearer)]).await;
            assert_eq!(answer.status, 200, "{line} after {after}: {answer:?}");
        }
    };
    passes("nothing").await;
    let mut attacks: Vec<(String, Vec<u8>)> = Vec::new();
    let request = |line: &str, fields: &[u8]| {
        let head = format!("GET {line} HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n");
        [head.as_bytes(), fields, b"\r\n\r\n"].concat()
    };
    for path in ["/orders/1", "/health"] {
        for size in [4_000, 5_000, 16_384, 20_000, 40_000, 66_000] {
            for name in ["Authorization: Bearer ", "X-Auth-Subject: "] {
                let field = format!("{name}{}", "a".repeat(size));
                attacks.push((format!("{path} with {name}{size}"), request(path, field.as_bytes())));
            }
        }
        for size in [5_000, 20_000, 58_000] {
            let long = format!("{path}?{}", "a".repeat(size));
            attacks.push((format!("{path} and a query of {size}"), request(&long, b"X: 1")));
        }
        for field in
            [&b"Authorization: Bearer \xff\xfe"[..], b"X-Other: \xff\xc0\xaf", b"Traceparent: \xff", b"X-\xff: 1"]
        {
            attacks.push((format!("{path} with {}", field.escape_ascii()), request(path, field)));
        }
        for method in
            ["X-Original-URL: https://x/health", "X-Original-URI: /health", "Expect: 100-continue", "Upgrade: h2c"]
        {
            attacks.push((format!("{path} with {method}"), request(path, method.as_bytes())));
        }
    }
    for (attack, bytes) in &attacks {
        // Twice, so that each gateway may have its share.
        for _ in 0..2 {
            let _ = exchange(port, bytes).await;
        }
        passes(attack).await;
    }
}
