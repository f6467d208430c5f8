//! Requests that wait for the authorization server: what goes on meanwhile, and how a wait ends.

use std::time::{Duration, Instant};

use axum::{Router, body::Bytes};
use portcullis_testkit::{AuthorizationServer, Endpoint, Fault};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::{
    clients::{FILE, SITE, site, site_of},
    scene::{ask, free_port, serve, signal, until},
};

#[tokio::test]
async fn a_worker_answers_others_while_requests_wait() {
    for endpoint in [Endpoint::Introspection, Endpoint::Jwks] {
        let scene = site("", FILE).await;
        scene.knows_keys().await;
        let (known, other) = (scene.read().sign(), scene.authorization.token().scope("other").sign());
        scene.authorization.fault(endpoint, Fault::Hang);
        let before = scene.authorization.requests(endpoint);
        let token = match endpoint {
            Endpoint::Introspection => scene.opaque(),
            _ => {
                scene.authorization.rotate();
                scene.read().sign()
            }
        };
        let waiting = scene.begin("/waits", &token).await;
        scene.authorization.wait_for_requests(endpoint, before + 1).await;
        for _ in 0..20 {
            for (line, token, status) in [
                ("GET /open", None, 200),
                ("GET /", Some(&known), 200),
                ("GET /", Some(&other), 403),
                ("GET /", None, 401),
                ("GET /stub", None, 200),
            ] {
                assert_eq!(scene.ask(line, token.map(String::as_str)).await.status, status, "{endpoint:?} {line}");
            }
        }
        scene.authorization.heal(endpoint);
        let answer = waiting.answer().await.unwrap();
        assert_eq!((answer.status, answer.echo().target()), (200, "/waits"), "{endpoint:?}");
        scene.accessed("200 /waits", 1).await;
        scene.has_no_alert(&[]);
    }
}

#[tokio::test]
async fn two_hundred_first_requests_make_one_fetch() {
    for endpoint in [Endpoint::Introspection, Endpoint::Jwks] {
        let authorization = AuthorizationServer::start().await;
        authorization.fault(endpoint, Fault::Hang);
        let scene = site_of(authorization, "", FILE, SITE).await;
        let token = match endpoint {
            Endpoint::Introspection => scene.opaque(),
            _ => scene.read().sign(),
        };
        let mut requests = JoinSet::new();
        for number in 0..200 {
            let waiting = scene.begin(&format!("/{number}"), &token).await;
            requests.spawn(async move {
                let answer = waiting.answer().await.unwrap();
                (answer.status, answer.echo().target() == format!("/{number}"))
            });
        }
        scene.waits_for(200).await;
        scene.authorization.heal(endpoint);
        assert_eq!(requests.join_all().await, vec![(200, true); 200], "{endpoint:?}");
        assert_eq!(scene.authorization.requests(endpoint), 1, "{endpoint:?}");
        scene.waits_for(0).await;
    }
}

#[tokio::test]
async fn a_client_that_goes_away_ends_its_own_request_only() {
    // The one that goes is the first, whose request made the server ask, or the last; its connection ends or is reset.
    for (goes_first, resets) in [(true, false), (false, false), (true, true), (false, true)] {
        let scene = site("", FILE).await;
        scene.knows_keys().await;
        for (endpoint, path) in [(Endpoint::Introspection, "/opaque"), (Endpoint::Jwks, "/keys")] {
            let before = scene.authorization.requests(endpoint);
            scene.authorization.fault(endpoint, Fault::Hang);
            let token = match endpoint {
                Endpoint::Introspection => scene.opaque(),
                _ => {
                    scene.authorization.rotate();
                    scene.read().sign()
                }
            };
            let first = scene.begin(path, &token).await;
            scene.authorization.wait_for_requests(endpoint, before + 1).await;
            let last = scene.begin(path, &token).await;
            scene.waits_for(2).await;
            let (gone, stays) = if goes_first { (first, last) } else { (last, first) };
            match resets {
                true => gone.reset(),
                false => drop(gone),
            }
            scene.accessed(&format!("499 {path}"), 1).await;
            scene.waits_for(1).await;
            scene.authorization.heal(endpoint);
            assert_eq!(stays.answer().await.unwrap().status, 200, "{path} {goes_first} {resets}");
            assert_eq!(scene.authorization.requests(endpoint), before + 1, "{path} {goes_first} {resets}");
        }
        scene.has_no_alert(&[]);
    }
}

/// Its request and the end of its connection are one event for nginx.
#[tokio::test]
async fn a_client_that_has_gone_before_nginx_read_its_request_does_not_wait() {
    let scene = site("", FILE).await;
    scene.knows_keys().await;
    scene.authorization.fault(Endpoint::Introspection, Fault::Hang);
    let (token, worker) = (scene.opaque(), scene.nginx.workers()[0]);
    for resets in [false, true] {
        let path = format!("/{resets}");
        signal(worker, "STOP");
        let gone = scene.begin(&path, &token).await;
        match resets {
            true => gone.reset(),
            false => drop(gone),
        }
        signal(worker, "CONT");
        if !resets {
            // nginx does not see a request whose connection was reset before.
            scene.accessed(&format!("499 {path}"), 1).await;
        }
        scene.waits_for(0).await;
    }
    scene.authorization.heal(Endpoint::Introspection);
    assert_eq!(scene.ask("GET /", Some(&token)).await.status, 200);
    scene.has_no_alert(&[]);
}

#[tokio::test]
async fn decisions_for_clients_that_are_gone_harm_nobody() {
    let scene = site("", FILE).await;
    scene.knows_keys().await;
    for round in 1..=5 {
        scene.authorization.fault(Endpoint::Introspection, Fault::Hang);
        let tokens: Vec<_> = (0..20).map(|_| scene.opaque()).collect();
        let mut waiting = Vec::new();
        for token in &tokens {
            waiting.push(scene.begin("/gone", token).await);
        }
        scene.waits_for(20).await;
        // Some decisions are under way when their clients go, others come later, and places in memory are taken anew.
        waiting.drain(..10);
        scene.authorization.heal(Endpoint::Introspection);
        drop(waiting);
        scene.waits_for(0).await;
        for token in &tokens {
            assert_eq!(scene.ask("GET /", Some(token)).await.status, 200, "{round}");
        }
    }
    scene.has_no_alert(&[]);
}

#[tokio::test]
async fn a_request_that_waits_for_too_long_gets_503_and_is_never_admitted() {
    let scene = site("", &format!("limits = {{ request_time = \"300ms\" }}\n{FILE}")).await;
    scene.knows_keys().await;
    scene.authorization.fault(Endpoint::Introspection, Fault::Hang);
    let token = scene.opaque();
    let begun = Instant::now();
    let waiting = [scene.begin("/late", &token).await, scene.begin("/late", &token).await];
    for waiting in waiting {
        let answer = waiting.answer().await.unwrap();
        assert_eq!((answer.status, answer.all("retry-after")), (503, vec!["1"]), "{answer:?}");
        assert!(answer.all("www-authenticate").is_empty(), "{answer:?}");
    }
    assert!(begun.elapsed() >= Duration::from_millis(300));
    scene.logged("limits.request_time").await;
    scene.authorization.heal(Endpoint::Introspection);
    until("an answer in time", async || scene.ask("GET /", Some(&token)).await.status == 200).await;
    scene.accessed("503 /late", 2).await;
    scene.accessed("200 /late", 0).await;
    scene.waits_for(0).await;
    scene.has_no_alert(&[]);
}

/// A page for errors is judged, too, and a request that was too late once is not let wait again.
#[tokio::test]
async fn an_error_page_does_not_double_the_wait() {
    let site = SITE.replace("location / {", "error_page 503 /sorry; location / {");
    let file = format!("limits = {{ request_time = \"300ms\" }}\n{FILE}");
    let scene = site_of(AuthorizationServer::start().await, "", &file, &site).await;
    scene.knows_keys().await;
    scene.authorization.fault(Endpoint::Introspection, Fault::Hang);
    let token = scene.opaque();
    let answer = ask(scene.port, "GET /late", &[("Authorization", &format!("Bearer {token}"))]).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    let log = scene.nginx.log();
    let told =
        log.lines().filter(|line| line.contains("took longer than limits.request_time") && line.contains("/late"));
    assert_eq!(told.count(), 1, "{log}");
}

#[tokio::test]
async fn a_body_that_comes_during_the_wait_reaches_the_api() {
    let api = serve(Router::new().fallback(async |body: Bytes| format!("{} bytes", body.len()))).await;
    let scene = site_of(AuthorizationServer::start().await, "", FILE, &SITE.replace("{api}", &api)).await;
    scene.knows_keys().await;
    scene.authorization.fault(Endpoint::Introspection, Fault::Hang);
    let (token, half) = (scene.opaque(), "x".repeat(100_000));
    let mut stream = TcpStream::connect(("127.0.0.1", scene.port)).await.unwrap();
    let head = format!(
        "POST /body HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer {token}\r\nContent-Length: 200000\r\n\
         Connection: close\r\n\r\n{half}"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    scene.waits_for(1).await;
    stream.write_all(half.as_bytes()).await.unwrap();
    scene.authorization.heal(Endpoint::Introspection);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with("200000 bytes"), "{answer}");
    scene.has_no_alert(&[]);
}

#[tokio::test]
async fn streams_of_http_2_wait_and_go_away_one_by_one_and_together() {
    let port = free_port();
    let site = SITE.replace("listen {port} reuseport;", &format!("listen {{port}}; listen 127.0.0.1:{port} http2;"));
    let scene = site_of(AuthorizationServer::start().await, "", FILE, &site).await;
    scene.knows_keys().await;
    let client = || reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let ask = |client: &reqwest::Client, path: &str, token: &str| {
        let request = client.get(format!("http://127.0.0.1:{port}{path}")).bearer_auth(token).send();
        tokio::spawn(async move { request.await.unwrap().status().as_u16() })
    };
    scene.authorization.fault(Endpoint::Introspection, Fault::Hang);
    let (token, known) = (scene.opaque(), scene.read().sign());
    let (first, second) = (client(), client());
    let gone = ask(&first, "/gone", &token);
    let stay: Vec<_> = (0..20).map(|_| ask(&first, "/stays", &token)).collect();
    let together: Vec<_> = (0..20).map(|_| ask(&second, "/together", &token)).collect();
    scene.waits_for(41).await;
    assert_eq!(ask(&first, "/", &known).await.unwrap(), 200, "on the connection of requests that wait");
    gone.abort();
    scene.accessed("499 /gone", 1).await;
    drop(second);
    together.iter().for_each(tokio::task::JoinHandle::abort);
    scene.accessed("499 /together", 20).await;
    scene.waits_for(20).await;
    scene.authorization.heal(Endpoint::Introspection);
    for stays in stay {
        assert_eq!(stays.await.unwrap(), 200);
    }
    assert_eq!(scene.authorization.requests(Endpoint::Introspection), 1);
    scene.waits_for(0).await;
    scene.has_no_alert(&[]);
}
