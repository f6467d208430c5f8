//! The keys that a worker has fetched, found by the next one.

use portcullis_testkit::Endpoint;

use crate::scene::{Scene, signal, until};

const BLOCK: &str = "
    server {
        listen {port};
        portcullis_issuer {issuer};
        location / { proxy_pass http://{api}; }
    }";

#[tokio::test]
async fn a_reload_and_a_crash_while_the_authorization_server_is_away_refuse_nobody() {
    let scene = Scene::with(BLOCK).await;
    let [first, second, third] = ["a", "b", "c"].map(|name| scene.read().subject(name).sign());
    assert_eq!(scene.ask("GET /", Some(&first)).await.status, 200);
    scene.authorization.stop().await;

    let workers = scene.nginx.workers();
    scene.nginx.signal("HUP");
    until("the old workers have ended", async || workers.iter().all(|old| !scene.nginx.workers().contains(old))).await;
    assert_eq!(scene.ask("GET /", Some(&second)).await.status, 200, "after a reload");

    let workers = scene.nginx.workers();
    workers.iter().for_each(|worker| signal(*worker, "KILL"));
    until("there are new workers", async || {
        let now = scene.nginx.workers();
        !now.is_empty() && workers.iter().all(|old| !now.contains(old))
    })
    .await;
    assert_eq!(scene.ask("GET /", Some(&third)).await.status, 200, "after a crash");
}

#[tokio::test]
async fn several_workers_fetch_the_keys_once_or_find_those_of_another() {
    let scene = Scene::with_main("worker_processes 4;", BLOCK).await;
    for number in 0..40 {
        let token = scene.read().subject(number.to_string()).sign();
        assert_eq!(scene.ask("GET /", Some(&token)).await.status, 200);
    }
    assert!(scene.authorization.requests(Endpoint::Jwks) <= 4, "at most one for each worker");
}
