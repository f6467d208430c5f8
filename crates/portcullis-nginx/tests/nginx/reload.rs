//! Reloads: under load, with mistakes, to other rules, and while requests wait.

use std::{fs, io::ErrorKind};

use portcullis_testkit::{AuthorizationServer, Endpoint, Fault};

use crate::{
    clients::{FILE, Load, SITE, ended, runs, site, site_of},
    scene::{Scene, api, ask, configuration, in_place, until},
};

#[tokio::test]
async fn twenty_reloads_under_load_give_no_wrong_answer() {
    let scene = site("worker_processes 2;", FILE).await;
    scene.knows_keys().await;
    let (good, opaque) = (scene.read().sign(), scene.opaque());
    let other = scene.authorization.token().scope("other").sign();
    let load = Load::begin(
        scene.port,
        6,
        &[
            ("/", Some(good), 200),
            ("/", Some("bad".to_owned()), 401),
            ("/", Some(opaque), 200),
            ("/", Some(other), 403),
            ("/", None, 401),
            ("/open", None, 200),
        ],
    );
    let mut old = Vec::new();
    for _ in 0..20 {
        load.goes_on(20).await;
        old.extend(scene.nginx.workers());
        scene.reload().await;
    }
    load.goes_on(20).await;
    let done = load.end().await;
    assert!(done.wrong.is_empty() && done.faults.is_empty(), "{done:?}");
    for worker in old {
        ended(worker).await;
    }
    assert_eq!(scene.nginx.workers().len(), 2);
    scene.has_no_alert(&[]);
}

#[tokio::test]
async fn a_reload_with_a_mistake_changes_nothing() {
    let scene = site("", FILE).await;
    scene.knows_keys().await;
    let (worker, good) = (scene.nginx.workers(), scene.read().sign());
    let files = ["nginx.conf", "portcullis.toml"].map(|name| {
        let text = fs::read_to_string(scene.folder.path().join(name)).unwrap();
        (name, text)
    });
    let [(_, conf), (_, toml)] = &files;
    for (name, text, expected) in [
        ("nginx.conf", conf.replace("http {", "http { nonsense;"), "unknown directive \"nonsense\""),
        ("nginx.conf", conf.replace("portcullis off;", "portcullis of;"), "portcullis"),
        ("portcullis.toml", toml.replace("scope =", "scop ="), "unknown key `scop`"),
        ("portcullis.toml", "[[".to_owned(), "portcullis.toml"),
        ("secret", String::new(), "secret"),
    ] {
        let before = scene.nginx.log().len();
        scene.write(name, &text);
        scene.nginx.signal("HUP");
        until(expected, async || {
            let log = scene.nginx.log();
            log[before..].lines().any(|line| line.contains("[emerg]") && line.contains(expected))
        })
        .await;
        assert_eq!(scene.nginx.workers(), worker, "{expected}");
        assert_eq!(scene.ask("GET /", Some(&good)).await.status, 200, "{expected}");
        assert_eq!(scene.ask("GET /", None).await.status, 401, "{expected}");
        scene.write("secret", "test-secret\n");
        for (name, text) in &files {
            scene.write(name, text);
        }
    }
    scene.reload().await;
    assert_eq!(scene.ask("GET /", Some(&good)).await.status, 200);
}

/// Writes the configuration with these lines in the server, and reloads.
async fn change(scene: &Scene, api: &str, issuer: &str, rules: &str) {
    let http = format!("server {{ listen {{port}}; {rules} location / {{ proxy_pass http://{{api}}; }} }}");
    let text = in_place(&configuration(scene.folder.path(), "", &http), scene.port, issuer, api);
    scene.write("nginx.conf", &text);
    scene.reload().await;
}

#[tokio::test]
async fn a_reload_adds_changes_and_removes_the_rules() {
    let api = api().await;
    let (first, second) = (AuthorizationServer::start().await, AuthorizationServer::start().await);
    let rules = "portcullis_issuer {issuer}; portcullis_audience https://api.example.com;";
    let tokens = [first.token().sign(), second.token().sign()].map(|token| format!("Bearer {token}"));
    let scene = Scene::around(first, &api, "", "server { listen {port}; }").await;
    for _ in 0..2 {
        for (issuer, rules, expected) in [
            (scene.authorization.issuer(), "", [200, 200, 200]),
            (scene.authorization.issuer(), rules, [401, 200, 401]),
            (second.issuer(), rules, [401, 401, 200]),
            (second.issuer(), "", [200, 200, 200]),
        ] {
            change(&scene, &api, issuer, rules).await;
            let mut statuses = vec![ask(scene.port, "GET /", &[]).await.status];
            for token in &tokens {
                statuses.push(ask(scene.port, "GET /", &[("Authorization", token)]).await.status);
            }
            assert_eq!(statuses, expected, "{issuer} {rules}");
        }
    }
    scene.has_no_alert(&[]);
}

#[tokio::test]
async fn a_request_that_waits_during_a_reload_is_answered_by_its_worker() {
    let scene = site("", FILE).await;
    scene.knows_keys().await;
    let [worker] = scene.nginx.workers()[..] else { panic!("expected one worker") };
    scene.authorization.fault(Endpoint::Introspection, Fault::Hang);
    let token = scene.opaque();
    let waiting = scene.begin("/", &token).await;
    scene.waits_for(1).await;
    // The rules get stricter: the request is under those of its worker.
    scene.write(
        "portcullis.toml",
        &in_place(FILE, 0, scene.authorization.issuer(), "").replace("[\"read\"]", "[\"write\"]"),
    );
    scene.nginx.signal("HUP");
    until("a new worker", async || scene.nginx.workers().iter().any(|new| *new != worker)).await;
    let writer = scene.authorization.token().scope("write").sign();
    until("the new rules", async || scene.ask("GET /", Some(&writer)).await.status == 200).await;
    assert!(runs(worker), "it has a request that waits");
    scene.authorization.heal(Endpoint::Introspection);
    let answer = waiting.answer().await.unwrap();
    assert_eq!((answer.status, answer.all("x-worker")), (200, vec![&*worker.to_string()]));
    ended(worker).await;
    scene.has_no_alert(&[]);
}

#[tokio::test]
async fn the_time_limit_of_old_workers_ends_waits() {
    let scene = site_of(AuthorizationServer::start().await, "worker_shutdown_timeout 300ms;", FILE, SITE).await;
    scene.knows_keys().await;
    let [worker] = scene.nginx.workers()[..] else { panic!("expected one worker") };
    scene.authorization.fault(Endpoint::Introspection, Fault::Hang);
    let (token, other) = (scene.opaque(), scene.opaque());
    let waiting = [scene.begin("/", &token).await, scene.begin("/", &token).await, scene.begin("/", &other).await];
    scene.waits_for(3).await;
    scene.nginx.signal("HUP");
    for waiting in waiting {
        let answer = waiting.answer().await.map_err(|error| error.kind());
        assert!(matches!(answer, Err(ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset)), "{answer:?}");
    }
    ended(worker).await;
    scene.authorization.heal(Endpoint::Introspection);
    assert_eq!(scene.ask("GET /", Some(&token)).await.status, 200);
    scene.has_no_alert(&[]);
}
