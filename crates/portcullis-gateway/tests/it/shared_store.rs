//! Two gateways and one Redis: their shared and their separate entries.

use portcullis_testkit::{AuthorizationServer, Endpoint};
use tempfile::TempDir;

use crate::{
    redis_server::Redis,
    support::{Gateway, ROUTES, introspecting, text, within},
};

const SECRET: &str = "a secret that both gateways have, of 32 bytes or more";

/// Starts a gateway that introspects with this query, connected to the store.
async fn gateway(server: &AuthorizationServer, redis: &Redis, query: &str) -> Gateway {
    let issuer = introspecting(server, "json", "").replace("/introspect\"", &format!("/introspect{query}\""));
    let store = format!("[store]\nurl = \"redis://{}\"\nsecret_file = \"store-secret\"\n", redis.address);
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("secret"), "test-secret\n").unwrap();
    std::fs::write(folder.path().join("store-secret"), SECRET).unwrap();
    std::fs::write(folder.path().join("portcullis.toml"), text("", &format!("{issuer}{ROUTES}{store}"))).unwrap();
    let gateway = Gateway::start_in(folder).await;
    gateway.ready().await;
    gateway.logged(|line| line["message"] == "the store is connected").await;
    gateway
}

#[tokio::test]
async fn gateways_share_answers_to_the_same_question_and_to_no_other() {
    let (server, redis) = (AuthorizationServer::start().await, Redis::start().await);
    let token = server.issue_opaque(server.token().scope("read"));
    let asked = || server.requests(Endpoint::Introspection);
    let kept = |number: usize| {
        let redis = &redis;
        move || (redis.names("portcullis:introspection:?????????*").len() == number).then_some(())
    };
    let (a, b) = (gateway(&server, &redis, "?tenant=a").await, gateway(&server, &redis, "?tenant=b").await);
    assert_eq!(a.ask("GET", "/orders/1", Some(&token)).await.status, 200);
    within(kept(1)).await.expect("an entry in the store");
    // To tenant b the token may be nothing: what a was told says nothing about it.
    assert_eq!(b.ask("GET", "/orders/1", Some(&token)).await.status, 200);
    assert_eq!(asked(), 2);
    within(kept(2)).await.expect("an entry for each question");
    server.revoke(&token);
    let unknown = b.ask("GET", "/orders/1", Some("never-issued")).await;
    assert_eq!((unknown.status, asked()), (401, 3));

    // A replica of each finds what was told before, and nothing counts as forged.
    for query in ["?tenant=a", "?tenant=b"] {
        let replica = gateway(&server, &redis, query).await;
        assert_eq!(replica.ask("GET", "/orders/1", Some(&token)).await.status, 200, "{query}");
        assert_eq!(replica.metric("portcullis_token_store_forged_total").await, 0.0);
    }
    assert_eq!(asked(), 3);
}
