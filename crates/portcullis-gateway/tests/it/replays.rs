//! DPoP proofs that were seen before: by the same gateway, by another one with the same Redis, and without it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use portcullis_testkit::{Algorithm, AuthorizationServer, DpopClient};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::{
    redis_server::Redis,
    support::{Answer, Gateway, ROUTES, client, issuer, text},
};

const SECRET: &str = "a secret that both gateways have, of 32 bytes or more";

/// A client with a bound token.
struct Client {
    key: DpopClient,
    token: String,
}

impl Client {
    fn new(server: &AuthorizationServer) -> Self {
        let key = DpopClient::new(Algorithm::ES256);
        let token = server.token().scope("read").bound_to_key(key.thumbprint()).sign();
        Self { key, token }
    }

    /// Makes a new proof for `/orders/1`.
    fn proof(&self) -> String {
        self.key.proof("GET", "https://api.example.com/orders/1").token(&self.token).sign()
    }

    /// Sends a request with this proof.
    async fn send(&self, gateway: &Gateway, proof: &str) -> Answer {
        let request = client().get(gateway.url("/auth"));
        let request = request.header("X-Original-Method", "GET").header("X-Original-URI", "/orders/1");
        let request = request.header("Authorization", format!("DPoP {}", self.token)).header("DPoP", proof);
        Answer::of(request.timeout(Duration::from_secs(30)).send().await.unwrap()).await
    }
}

/// Starts a gateway with these keys of `[dpop]`, connected to the store.
async fn gateway(server: &AuthorizationServer, redis: &Redis, further: &str) -> Gateway {
    let dpop = format!("[dpop]\nuse = \"required\"\npublic_url = \"https://api.example.com\"\n{further}\n");
    let store = format!("[store]\nurl = \"redis://{}\"\nsecret_file = \"store-secret\"\n", redis.address);
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("store-secret"), SECRET).unwrap();
    let tables = format!("{}{ROUTES}{store}{dpop}", issuer(server, ""));
    std::fs::write(folder.path().join("portcullis.toml"), text("", &tables)).unwrap();
    let gateway = Gateway::start_in(folder).await;
    gateway.ready().await;
    gateway.logged(|line| line["message"] == "the store is connected").await;
    gateway
}

#[tokio::test]
async fn a_proof_that_one_gateway_has_seen_is_a_replay_at_another() {
    let (server, redis) = (AuthorizationServer::start().await, Redis::start().await);
    let gateways = [gateway(&server, &redis, "").await, gateway(&server, &redis, "").await];
    let sender = Client::new(&server);
    for (first, then) in [(0, 1), (1, 0)] {
        let proof = sender.proof();
        assert_eq!(sender.send(&gateways[first], &proof).await.code(), "pass");
        for number in [then, first, then] {
            let answer = sender.send(&gateways[number], &proof).await;
            assert_eq!((answer.status, &*answer.code()), (401, "dpop_replayed"));
            assert!(answer.header("www-authenticate").unwrap().contains("invalid_dpop_proof"), "{answer:?}");
        }
    }
    assert_eq!(redis.names("portcullis:dpop:*").len(), 2);
    for gateway in &gateways {
        let count = async |outcome: &str| {
            gateway.metric(&format!("portcullis_dpop_proofs_total{{outcome=\"{outcome}\"}}")).await
        };
        assert_eq!((count("first").await, count("replayed_elsewhere").await, count("replayed").await), (1.0, 1.0, 2.0));
    }
}

#[tokio::test]
async fn of_a_hundred_requests_with_one_proof_at_two_gateways_one_passes() {
    let (server, redis) = (AuthorizationServer::start().await, Redis::start().await);
    let (one, other) = (gateway(&server, &redis, "").await, gateway(&server, &redis, "").await);
    let (gateways, sender) = (Arc::new([one, other]), Arc::new(Client::new(&server)));
    let proof: Arc<str> = sender.proof().into();
    let mut requests = JoinSet::new();
    for number in 0..100 {
        let (gateways, sender, proof) = (Arc::clone(&gateways), Arc::clone(&sender), Arc::clone(&proof));
        requests.spawn(async move { sender.send(&gateways[number % 2], &proof).await.code() });
    }
    let codes = requests.join_all().await;
    assert_eq!(codes.iter().filter(|code| *code == "pass").count(), 1);
    assert_eq!(codes.iter().filter(|code| *code == "dpop_replayed").count(), 99);
}

/// Sends requests, each with a new proof, while Redis is killed and started again twice; returns the codes.
async fn under_load(server: &AuthorizationServer, redis: &mut Redis, gateway: Arc<Gateway>) -> Vec<String> {
    let (sender, goes_on, sent) =
        (Arc::new(Client::new(server)), Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
    let mut load = JoinSet::new();
    for _ in 0..8 {
        let (gateway, sender) = (Arc::clone(&gateway), Arc::clone(&sender));
        let (goes_on, sent) = (Arc::clone(&goes_on), Arc::clone(&sent));
        load.spawn(async move {
            let mut codes = Vec::new();
            while goes_on.load(Ordering::Relaxed) {
                codes.push(sender.send(&gateway, &sender.proof()).await.code());
                sent.fetch_add(1, Ordering::Relaxed);
            }
            codes
        });
    }
    let more = async |count: usize| {
        let until = sent.load(Ordering::Relaxed) + count;
        while sent.load(Ordering::Relaxed) < until {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let kept = |redis: &Redis| redis.names("portcullis:dpop:*").len();
    for _ in 0..2 {
        more(100).await;
        redis.kill();
        more(100).await;
        redis.restart().await;
        while kept(redis) == 0 {
            more(10).await;
        }
    }
    goes_on.store(false, Ordering::Relaxed);
    load.join_all().await.concat()
}

#[tokio::test]
async fn while_redis_is_killed_and_started_again_no_request_fails() {
    let (server, mut redis) = (AuthorizationServer::start().await, Redis::start().await);
    let gateway = Arc::new(gateway(&server, &redis, "").await);
    let codes = under_load(&server, &mut redis, Arc::clone(&gateway)).await;
    assert!(codes.iter().all(|code| code == "pass"), "{codes:?}");
    assert!(gateway.metric("portcullis_replay_store_failures_total").await > 0.0);
    assert!(gateway.metric("portcullis_dpop_proofs_total{outcome=\"first_here\"}").await > 0.0);
    redis.kill();
    let sender = Client::new(&server);
    let proof = sender.proof();
    let answers = [sender.send(&gateway, &proof).await.code(), sender.send(&gateway, &proof).await.code()];
    assert_eq!(answers, ["pass", "dpop_replayed"], "it judges by its own memory");
}

#[tokio::test]
async fn if_so_configured_requests_are_refused_while_redis_is_away() {
    let (server, mut redis) = (AuthorizationServer::start().await, Redis::start().await);
    let gateway = Arc::new(gateway(&server, &redis, "when_store_is_away = \"refuse\"").await);
    let codes = under_load(&server, &mut redis, Arc::clone(&gateway)).await;
    let count = |code: &str| codes.iter().filter(|other| *other == code).count();
    assert!(count("pass") > 100 && count("replay_store_unavailable") > 100, "{codes:?}");
    assert_eq!(count("pass") + count("replay_store_unavailable"), codes.len(), "{codes:?}");
    redis.kill();
    let sender = Client::new(&server);
    let answer = sender.send(&gateway, &sender.proof()).await;
    assert_eq!((answer.status, &*answer.code()), (503, "replay_store_unavailable"));
    assert_eq!(answer.header("retry-after"), Some("1"), "{answer:?}");
    assert!(answer.header("www-authenticate").is_none(), "{answer:?}");
}
