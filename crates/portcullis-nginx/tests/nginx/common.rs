//! The memory that workers have in common: keys, proofs of DPoP, and the secret of nonces.

use std::collections::HashSet;

use portcullis_testkit::{Algorithm, DpopClient, Endpoint};

use crate::{
    scene::{Answer, Scene, ask, signal, until},
    site::{ISSUER, site_with_main},
};

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

const WITH_NONCES: &str = "
[dpop]
public_url = \"http://api.example.com\"
nonces = true

[[routes]]
path = \"/*\"
dpop = \"required\"
";

/// Sends a request with this proof, on a connection of its own, so that any worker may get it.
async fn sent(scene: &Scene, token: &str, proof: &str) -> Answer {
    let authorization = format!("DPoP {token}");
    ask(scene.port, "GET /", &[("Authorization", &authorization), ("DPoP", proof)]).await
}

#[tokio::test]
async fn workers_judge_proofs_as_one() {
    let configuration = format!("{WITH_NONCES}{ISSUER}");
    let http = "portcullis_config portcullis.toml;
        server { listen {port} reuseport; location / { add_header X-Worker $pid always; proxy_pass http://{api}; } }";
    let scene = site_with_main("worker_processes 4;", &[("portcullis.toml", &configuration)], http).await;
    let client = DpopClient::new(Algorithm::ES256);
    let token = scene
        .read()
        .audience("https://api.example.com")
        .claim("cnf", serde_json::json!({ "jkt": client.thumbprint() }));
    let token = token.sign();
    let proof = |nonce: Option<&str>| {
        let proof = client.proof("GET", "http://api.example.com/").token(&token);
        nonce.map_or_else(|| proof.clone(), |nonce| proof.clone().nonce(nonce)).sign()
    };
    let asked = sent(&scene, &token, &proof(None)).await;
    let nonce = asked.all("dpop-nonce").concat();
    assert_eq!((asked.status, nonce.is_empty()), (401, false), "{asked:?}");

    // A nonce of one worker is good at each, and a proof that one has seen is a replay at each.
    let (mut passed, mut refused) = (HashSet::new(), HashSet::new());
    for _ in 0..20 {
        let proof = proof(Some(&nonce));
        let first = sent(&scene, &token, &proof).await;
        assert_eq!(first.status, 200, "{first:?}");
        passed.insert(first.all("x-worker").concat());
        for _ in 0..4 {
            let again = sent(&scene, &token, &proof).await;
            assert_eq!(again.status, 401, "{again:?}");
            refused.insert(again.all("x-worker").concat());
        }
    }
    assert!(passed.len() > 1 && refused.len() > 1, "several workers were asked: {passed:?} {refused:?}");

    // So it is after a reload.
    let last = proof(Some(&nonce));
    assert_eq!(sent(&scene, &token, &last).await.status, 200);
    let before = scene.nginx.workers();
    scene.nginx.signal("HUP");
    until("the old workers have ended", async || before.iter().all(|old| !scene.nginx.workers().contains(old))).await;
    assert_eq!(sent(&scene, &token, &last).await.status, 401);
    assert_eq!(sent(&scene, &token, &proof(Some(&nonce))).await.status, 200);
}
