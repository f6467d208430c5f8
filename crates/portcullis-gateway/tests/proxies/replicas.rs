//! Two gateways behind one Envoy, with Redis between them.

use std::time::{Duration, Instant};

use portcullis_testkit::{Algorithm, Attack, AuthorizationServer, DpopClient, Endpoint};

use tokio::task::JoinSet;

use crate::{
    client::{Answer, ask, ask_with},
    load::Load,
    process::{Process, until},
    scene::{Proxy, Stage},
    sizes::nobody_is_harmed,
};

/// The time that Envoy leaves a dead replica alone: `max_ejection_time`, and the `interval` that ends it.
const EJECTION: Duration = Duration::from_millis(1_500);

struct Pair {
    authorization: AuthorizationServer,
    redis: Process,
    replicas: [Process; 2],
    _upstream: Process,
    _envoy: Process,
    stage: Stage,
}

impl Pair {
    async fn start() -> Self {
        let stage = Stage::set();
        let authorization = stage.authorization().await;
        let (redis, upstream) = (stage.redis().await, stage.upstream().await);
        let replicas = [stage.replica(1).await, stage.replica(2).await];
        let envoy = stage.proxy(Proxy::EnvoyBeforeTwo).await;
        Self { authorization, redis, replicas, _upstream: upstream, _envoy: envoy, stage }
    }

    /// Starts the first replica again, after it was killed.
    async fn restart_first(&mut self) {
        self.replicas[0].kill();
        self.replicas[0] = self.stage.replica(1).await;
    }

    /// Waits longer than Envoy leaves a dead replica alone, while the load goes on.
    async fn envoy_tries_again(&self, load: &Load) {
        let started = Instant::now();
        while started.elapsed() < 2 * EJECTION {
            load.goes_on().await;
        }
    }

    /// Waits until a replica decides more than it has so far.
    async fn is_asked_again(&self, replica: usize) {
        let decided = async || self.metric(replica, "portcullis_gateway_decisions_total").await;
        let before = decided().await;
        until("it is asked again", async || decided().await > before).await;
    }

    fn opaque(&self) -> String {
        self.authorization.issue_opaque(self.authorization.token().scope("read"))
    }

    /// Returns good tokens, which both replicas know, and bad tokens.
    async fn tokens(&self) -> (Vec<String>, Vec<String>) {
        let good = vec![self.authorization.token().scope("read").sign(), self.opaque(), self.opaque()];
        for token in &good {
            for port in self.doors() {
                assert_eq!(ask_with(port, "GET /orders/1", token).await.status, 200);
            }
        }
        let weak = self.authorization.token().scope("write").sign();
        let forged = self.authorization.hostile_from(Attack::UnknownKey, self.authorization.token().scope("read"));
        (good, vec![weak, forged, "no-such-token".to_owned()])
    }

    /// Returns the forward-auth port of each replica.
    fn doors(&self) -> [u16; 2] {
        [self.stage.ports.gateway[0], self.stage.ports.second[0]]
    }

    /// Returns the value of a metric, summed over its labels.
    async fn metric(&self, replica: usize, name: &str) -> f64 {
        let port = [self.stage.ports.gateway[2], self.stage.ports.second[2]][replica];
        let metrics = ask(port, "GET /metrics", &[("Host", "127.0.0.1")]).await.body;
        let values = metrics.lines().filter(|line| line.starts_with(name)).filter_map(|line| line.rsplit(' ').next());
        values.filter_map(|value| value.parse::<f64>().ok()).sum()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_had_introspected_the_other_knows() {
    let pair = Pair::start().await;
    let opaque = pair.opaque();
    for _ in 0..20 {
        let answer = ask_with(pair.stage.ports.proxy, "GET /orders/1", &opaque).await;
        assert_eq!(answer.echo().all("x-auth-subject"), ["alice"]);
    }
    for replica in 0..2 {
        assert!(pair.metric(replica, "portcullis_gateway_decisions_total").await > 0.0, "both were asked");
    }
    assert_eq!(pair.authorization.requests(Endpoint::Introspection), 1);

    let first = pair.opaque();
    for door in pair.doors() {
        assert_eq!(ask_with(door, "GET /orders/1", &first).await.status, 200);
    }
    assert_eq!(pair.authorization.requests(Endpoint::Introspection), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_that_one_has_seen_is_a_replay_at_the_other() {
    let mut pair = Pair::start().await;
    let client = DpopClient::new(Algorithm::ES256);
    let token = pair.authorization.token().scope("pay").bound_to_key(client.thumbprint()).sign();
    let url = format!("http://127.0.0.1:{}/payments/1", pair.stage.ports.proxy);
    let [one, other] = pair.doors();

    // The nonce of one is good at the other.
    let told = send(one, &client.fields("GET", &url, &token)).await;
    let [nonce] = told.all("dpop-nonce")[..] else { panic!("{told:?}") };
    let client = client.with_nonce(nonce);
    assert_eq!(send(other, &client.fields("GET", &url, &token)).await.status, 200);

    for [first, second] in [[one, other], [other, one]] {
        let fields = client.fields("GET", &url, &token);
        assert_eq!(send(first, &fields).await.status, 200);
        for door in [second, first] {
            assert_eq!(send(door, &fields).await.status, 401, "it was seen");
        }
    }
    // Behind Envoy, which asks them in turn: of many at once one passes.
    for _ in 0..5 {
        let fields = client.fields("GET", &url, &token);
        let mut asking = JoinSet::new();
        for _ in 0..20 {
            let (port, fields) = (pair.stage.ports.proxy, fields.clone());
            asking.spawn(async move { send(port, &fields).await.status });
        }
        let passed = asking.join_all().await.into_iter().filter(|status| *status == 200).count();
        assert_eq!(passed, 1);
    }

    // Without Redis each judges by itself, and no request fails.
    pair.redis.kill();
    let fields = client.fields("GET", &url, &token);
    assert_eq!(send(one, &fields).await.status, 200);
    assert_eq!(send(one, &fields).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_redis_is_sealed() {
    let pair = Pair::start().await;
    let opaque = pair.opaque();
    let [one, other] = pair.doors();
    assert_eq!(ask_with(one, "GET /orders/1", &opaque).await.status, 200);
    let keys = redis(&pair, "--scan").await;
    assert!(!keys.trim().is_empty() && !keys.contains(&opaque), "{keys}");
    for key in keys.lines() {
        let kept = redis(&pair, &format!("GET {key}")).await;
        assert!(!kept.contains(&opaque), "{kept}");
        // A client with write access to Redis cannot make a token pass, nor have one refused.
        redis(&pair, &format!("SET {key} forged")).await;
    }
    assert_eq!(ask_with(other, "GET /orders/1", &opaque).await.status, 200);
    assert_eq!(pair.authorization.requests(Endpoint::Introspection), 2, "forged entries are not believed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_killed_under_load_loses_at_most_answers_in_flight() {
    let mut pair = Pair::start().await;
    let (good, bad) = pair.tokens().await;
    let load = Load::start(pair.stage.ports.proxy, &good, &bad);
    load.goes_on().await;
    pair.replicas[0].kill();
    load.goes_on().await;
    load.excuse_cut_answers();
    pair.envoy_tries_again(&load).await;
    pair.restart_first().await;
    pair.is_asked_again(0).await;
    // One of Envoy's threads may have found it dead just before another found it alive.
    pair.envoy_tries_again(&load).await;
    pair.is_asked_again(0).await;
    // A replica that is told to end loses nothing.
    pair.replicas[1].terminate();
    load.goes_on().await;
    load.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_killed_under_load_and_started_again_loses_no_request() {
    let mut pair = Pair::start().await;
    let (good, bad) = pair.tokens().await;
    let load = Load::start(pair.stage.ports.proxy, &good, &bad);
    load.goes_on().await;
    pair.redis.kill();
    load.goes_on().await;
    let port = pair.stage.ports.proxy;
    let new = pair.opaque();
    assert_eq!(ask_with(port, "GET /orders/1", &new).await.status, 200, "new tokens pass without Redis");
    until("the metrics say so", async || pair.metric(0, "portcullis_gateway_store_up").await == 0.0).await;

    pair.redis = pair.redis.restart(pair.stage.ports.redis).await;
    load.goes_on().await;
    load.stop().await;
    let [one, other] = pair.doors();
    until("tokens are shared again", async || {
        let (token, before) = (pair.opaque(), pair.authorization.requests(Endpoint::Introspection));
        for door in [one, other] {
            assert_eq!(ask_with(door, "GET /orders/1", &token).await.status, 200);
        }
        pair.authorization.requests(Endpoint::Introspection) == before + 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_sends_harms_nobody_else() {
    let pair = Pair::start().await;
    let token = pair.authorization.token().scope("read").sign();
    nobody_is_harmed(pair.stage.ports.proxy, &token).await;
}

/// Sends a request with a proof for the proxy's URL.
async fn send(port: u16, fields: &[(&'static str, String)]) -> Answer {
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    ask(port, "GET /payments/1", &fields).await
}

async fn redis(pair: &Pair, command: &str) -> String {
    let line = format!("redis-cli -p {} {command}", pair.stage.ports.redis);
    let output = tokio::process::Command::new("sh").args(["-c", &line]).output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
