//! Other modules of nginx beside this one: subrequests, caches, retries, bodies, blocks within blocks.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use axum::{Router, extract::Request, http::StatusCode, response::IntoResponse};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    scene::{Answer, Scene, ask, exchange, serve},
    site::{ISSUER, STATUS, decisions, site},
};

const HEADERS: &str = "
[[routes]]
path = \"/*\"
scope = [\"read\"]
[[headers]]
name = \"X-Auth-Subject\"
claim = \"sub\"
";

async fn with(http: &str) -> Scene {
    let block =
        format!("server {{ listen {{port}}; root {{folder}}; portcullis_config portcullis.toml; {STATUS} {http} }}");
    let files = [
        ("portcullis.toml", &*format!("{ISSUER}{HEADERS}")),
        ("pages/page.html", "page"),
        ("parts/head.html", "head:"),
        ("pages/ssi.html", "<!--#include virtual=\"/parts/head.html\" -->ssi"),
    ];
    site(&files, &block).await
}

/// Sends a request with a forged field beside a good token.
async fn forged(scene: &Scene, line: &str) -> Answer {
    let bearer = format!("Bearer {}", scene.read().subject("alice").sign());
    ask(scene.port, line, &[("Authorization", &bearer), ("X-Auth-Subject", "root")]).await
}

#[tokio::test]
async fn subrequests_are_not_judged_and_their_main_requests_are() {
    // Each subrequest that the API sees, by its path and the subject that it was told.
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let side = serve(Router::new().fallback(move |request: Request| {
        let noted = Arc::clone(&noted);
        async move {
            let subject = request.headers().get("x-auth-subject").map(|value| value.to_str().unwrap().to_owned());
            noted.lock().unwrap().push((request.uri().path().to_owned(), subject));
            if request.uri().path() == "/deny" { StatusCode::FORBIDDEN } else { StatusCode::OK }
        }
    }))
    .await;
    let scene = with(&"
        location / { proxy_pass http://{api}; }
        location /asked/ { auth_request /ask; proxy_pass http://{api}; }
        location /denied/ { auth_request /deny; proxy_pass http://{api}; }
        location /mirrored/ { mirror /mirror; proxy_pass http://{api}; }
        location /pages/ { add_before_body /parts/head.html; }
        location /pages/ssi { ssi on; }
        location /parts/ { }
        location = /ask { internal; proxy_pass http://SIDE; proxy_pass_request_body off; proxy_set_header Content-Length \"\"; }
        location = /deny { internal; proxy_pass http://SIDE; }
        location = /mirror { internal; proxy_pass http://SIDE; }
    ".replace("SIDE", &side)).await;
    for (line, status, body) in [
        ("GET /asked/x", 200, None),
        ("GET /denied/x", 403, None),
        ("GET /mirrored/x", 200, None),
        ("GET /pages/page.html", 200, Some("head:page")),
        ("GET /pages/ssi.html", 200, Some("head:ssi")),
        ("GET /parts/head.html", 200, Some("head:")),
    ] {
        let before = decisions(&scene, "pass").await;
        let refused = scene.ask(line, None).await;
        assert_eq!(refused.status, 401, "{line} {refused:?}");
        assert!(seen.lock().unwrap().is_empty(), "no subrequest before the verdict: {line}");
        let answer = forged(&scene, line).await;
        assert_eq!(answer.status, status, "{line} {answer:?}");
        assert!(body.is_none_or(|body| body == answer.body), "{line} {answer:?}");
        assert_eq!(decisions(&scene, "pass").await, before + 1, "{line}");
        let told = std::mem::take(&mut *seen.lock().unwrap());
        assert!(told.iter().all(|(_, subject)| subject.as_deref() == Some("alice")), "{line} {told:?}");
    }
}

#[tokio::test]
async fn a_cached_answer_is_given_after_the_verdict_only() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let api = serve(Router::new().fallback(move || {
        let counted = Arc::clone(&counted);
        async move { ([("cache-control", "max-age=60")], counted.fetch_add(1, Ordering::Relaxed).to_string()) }
    }))
    .await;
    let authorized = "server { listen {port}; portcullis_config portcullis.toml;
        location / { proxy_cache pages; add_header X-Cache $upstream_cache_status; proxy_pass http://API; } }";
    let http = format!("proxy_cache_path {{folder}}/cache keys_zone=pages:1m; {}", authorized.replace("API", &api));
    let scene = site(&[("portcullis.toml", &format!("{ISSUER}{HEADERS}"))], &http).await;
    let reader = scene.read().sign();
    let other = scene.authorization.token().sign();
    for (token, status, cache) in [
        (None, 401, None),
        (Some(&reader), 200, Some("MISS")),
        (Some(&reader), 200, Some("HIT")),
        (None, 401, None),
        (Some(&other), 403, None),
        (Some(&"nonsense".to_owned()), 401, None),
        (Some(&reader), 200, Some("HIT")),
    ] {
        let answer = scene.ask("GET /page", token.map(String::as_str)).await;
        assert_eq!((answer.status, answer.all("x-cache").first().copied()), (status, cache), "{answer:?}");
    }
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_retry_brings_the_fields_to_the_second_upstream_once() {
    let away = serve(Router::new().fallback(async || StatusCode::SERVICE_UNAVAILABLE.into_response())).await;
    let scene = site(
        &[("portcullis.toml", &format!("{ISSUER}{HEADERS}"))],
        &"upstream both { server AWAY max_fails=0; server {api} backup; }
          server {
            listen {port};
            portcullis_config portcullis.toml;
            location / { proxy_next_upstream error http_503; proxy_pass http://both; }
          }"
        .replace("AWAY", &away),
    )
    .await;
    let echo = forged(&scene, "GET /x").await.echo();
    assert_eq!((echo.all("x-auth-subject"), echo.all("authorization").len()), (vec!["alice"], 1));
    assert_eq!(scene.ask("GET /x", None).await.status, 401);
}

#[tokio::test]
async fn bodies_of_any_kind_arrive_or_are_refused_before_they_are_read() {
    let scene = with(
        "location / { proxy_pass http://{api}; }
         location /straight/ { proxy_http_version 1.1; proxy_request_buffering off; proxy_pass http://{api}; }
         location /small/ { client_max_body_size 1k; proxy_pass http://{api}; }
         client_max_body_size 2m;",
    )
    .await;
    let token = scene.read().sign();
    let body = "x".repeat(1 << 20);
    let chunked = format!("80000\r\n{half}\r\n80000\r\n{half}\r\n0\r\n\r\n", half = &body[..1 << 19]);
    for path in ["/x", "/straight/x", "/small/x"] {
        for (kind, sent) in [("Content-Length: 1048576", &body), ("Transfer-Encoding: chunked", &chunked)] {
            let head = format!("POST {path} HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n{kind}\r\n");
            let authorization = format!("Authorization: Bearer {token}\r\n");
            let known = exchange(scene.port, &format!("{head}{authorization}\r\n{sent}")).await;
            if path == "/small/x" {
                assert_eq!(known.status, 413, "{kind} {known:?}");
            } else {
                assert!(known.status == 200 && known.body.contains("\"length\":1048576"), "{path} {kind} {known:?}");
            }
        }
    }
    // A client that waits for permission sends nothing of its body.
    let expecting = "POST /x HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\nContent-Length: 1048576\r\n\
                     Expect: 100-continue\r\n\r\n";
    assert_eq!(exchange(scene.port, expecting).await.status, 401);
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", scene.port)).await.unwrap();
    let head = format!("Authorization: Bearer {token}\r\nExpect: 100-continue\r\n");
    stream.write_all(expecting.replace("Expect: 100-continue\r\n", &head).as_bytes()).await.unwrap();
    let mut permission = [0; 25];
    stream.read_exact(&mut permission).await.unwrap();
    assert_eq!(&permission, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("\"length\":1048576"), "{answer}");
}

/// Blocks within blocks.
const BLOCKS: &str = r"
    limit_req_zone $portcullis_sub zone=subjects:1m rate=1r/m;
    limit_req_zone $binary_remote_addr zone=addresses:1m rate=1r/m;
    server {
        listen {port};
        root {folder};
        portcullis_issuer {issuer};
        portcullis_audience https://api.example.com;
        location / { proxy_pass http://{api}; }
        location /outer/ {
            portcullis_scope read;
            proxy_pass http://{api};
            location /outer/inner/ { portcullis_scope admin; proxy_pass http://{api}; }
            location /outer/open/ { portcullis off; proxy_pass http://{api}; }
            location /outer/same/ { proxy_pass http://{api}; }
        }
        location /methods/ {
            limit_except GET { portcullis_scope write; }
            proxy_pass http://{api};
        }
        location /closed/ {
            portcullis_scope read;
            limit_except GET { deny all; }
            proxy_pass http://{api};
        }
        location /if/ {
            if ($arg_open) { portcullis off; }
            if ($arg_admin) { portcullis_scope admin; }
            proxy_pass http://{api};
        }
        location ~ \.secret$ { portcullis_scope admin; proxy_pass http://{api}; }
        location ~* ^/(?<area>[a-z]+)/area$ { portcullis_scope admin; proxy_pass http://{api}; }
        location ^~ /first/ { portcullis off; proxy_pass http://{api}; }
        location = /exact { portcullis_scope admin; proxy_pass http://{api}; }
        location /pages/ { portcullis_scope read; }
        location /alias/ { portcullis_scope read; alias {folder}/pages/; }
        location /limited/ { limit_req zone=addresses; proxy_pass http://{api}; }
        location /by-subject/ { limit_req zone=subjects; proxy_pass http://{api}; }
        location /returned/ { return 200 returned; }
        location /set/ { set $seen $http_x_auth_subject; return 200 $seen; }
    }";

#[tokio::test]
async fn blocks_within_blocks_have_their_own_guards() {
    let scene = site(&[("pages/page.html", "page")], BLOCKS).await;
    let of = |scope: &str| Some(scene.authorization.token().scope(scope).sign());
    let (none, any, reader, admin, writer) = (None, of(""), of("read"), of("read admin"), of("write"));
    for (line, token, status) in [
        ("GET /x", &none, 401),
        ("GET /x", &any, 200),
        ("GET /outer/x", &any, 403),
        ("GET /outer/x", &reader, 200),
        ("GET /outer/inner/x", &reader, 403),
        ("GET /outer/inner/x", &admin, 200),
        ("GET /outer/open/x", &none, 200),
        ("GET /outer/same/x", &any, 403),
        ("GET /outer/same/x", &reader, 200),
        ("GET /outer/open/../inner/x", &none, 401),
        ("GET /outer/open/%2e%2e/inner/x", &reader, 403),
        ("GET //outer///inner/x", &reader, 403),
        ("GET /methods/x", &none, 401),
        ("GET /methods/x", &any, 200),
        ("HEAD /methods/x", &any, 200),
        ("POST /methods/x", &any, 403),
        ("POST /methods/x", &writer, 200),
        ("DELETE /methods/x", &any, 403),
        ("GET /closed/x", &reader, 200),
        ("POST /closed/x", &reader, 403),
        ("POST /closed/x", &none, 401),
        ("GET /if/x", &none, 401),
        ("GET /if/x", &any, 200),
        ("GET /if/x?open=1", &none, 200),
        ("GET /if/x?admin=1", &any, 403),
        ("GET /if/x?admin=1", &admin, 200),
        ("GET /if/x?open=1&admin=1", &none, 401),
        ("GET /a.secret", &reader, 403),
        ("GET /outer/a.secret", &reader, 403),
        ("GET /a.secret", &admin, 200),
        ("GET /AREA/area", &reader, 403),
        ("GET /first/a.secret", &none, 200),
        ("GET /exact", &any, 403),
        ("GET /exact?x", &any, 403),
        ("GET /%65xact", &any, 403),
        ("GET /exact/", &any, 200),
        ("GET /pages/page.html", &none, 401),
        ("GET /pages/page.html", &any, 403),
        ("GET /pages/page.html", &reader, 200),
        ("GET /pages/no-page.html", &none, 401),
        ("GET /pages/no-page.html", &reader, 404),
        ("GET /alias/page.html", &none, 401),
        ("GET /alias/page.html", &reader, 200),
    ] {
        let answer = scene.ask(line, token.as_deref()).await;
        assert_eq!(answer.status, status, "{line} {token:?} {answer:?}");
    }
}

#[tokio::test]
async fn phases_before_the_access_phase_know_no_verdict() {
    let scene = site(&[], BLOCKS).await;
    let token = scene.read().sign();
    let token = Some(token.as_str());
    // `return` and `limit_req` come before the verdict, as before that of auth_basic and auth_request.
    assert_eq!(scene.ask("GET /returned/x", None).await.body, "returned");
    assert_eq!(ask(scene.port, "GET /set/x", &[("X-Auth-Subject", "root")]).await.body, "root");
    assert_eq!(scene.ask("GET /limited/x", None).await.status, 401);
    assert_eq!(scene.ask("GET /limited/x", token).await.status, 503, "requests without a token count, too");
    for _ in 0..3 {
        assert_eq!(scene.ask("GET /by-subject/x", token).await.status, 200, "the subject is not known yet");
    }
}
