//! The authorization server is slow, wrong or gone: cached answers go on, nothing else passes.

use std::time::Duration;

use portcullis_testkit::{AuthorizationServer, Endpoint, Fault};
use tokio::task::JoinSet;

use crate::support::{Gateway, ROUTES, introspecting, issuer};

#[tokio::test]
async fn a_gateway_that_starts_before_its_authorization_server_becomes_ready_with_it() {
    let server = AuthorizationServer::start().await;
    let token = server.token().scope("read").sign();
    server.stop().await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", issuer(&server, ""))).await;
    let page = gateway.page("/readyz").await;
    assert_eq!(page.status, 503, "{page:?}");
    assert!(page.body.contains(server.issuer()), "{page:?}");
    assert_eq!(gateway.page("/healthz").await.status, 200);
    let answer = gateway.ask("GET", "/orders/1", Some(&token)).await;
    assert_eq!((answer.status, &*answer.code()), (503, "keys_unavailable"));
    assert!(answer.header("retry-after").is_some() && answer.header("www-authenticate").is_none(), "{answer:?}");
    assert_eq!(gateway.ask("GET", "/open/a", None).await.status, 200, "a public route needs no keys");

    server.restart().await.unwrap();
    gateway.ready().await;
    assert_eq!(gateway.ask("GET", "/orders/1", Some(&token)).await.status, 200);
}

#[tokio::test]
async fn a_gateway_that_introspects_needs_keys_unless_it_introspects_all_tokens() {
    let server = AuthorizationServer::start().await;
    server.stop().await;
    for (further, status) in [("", 503), (", introspect = \"opaque\"", 503), (", introspect = \"all\"", 200)] {
        let gateway = Gateway::start(&format!("{}{ROUTES}", introspecting(&server, "json", further))).await;
        assert_eq!(gateway.page("/readyz").await.status, status, "{further}");
    }
}

#[tokio::test]
async fn what_was_introspected_goes_on_to_count_and_nothing_else_passes() {
    for mode in ["json", "jwt", "phantom"] {
        let server = AuthorizationServer::start().await;
        let gateway = Gateway::start(&format!("{}{ROUTES}", introspecting(&server, mode, ""))).await;
        gateway.ready().await;
        let known = server.issue_opaque(server.token().scope("read"));
        let unknown = server.issue_opaque(server.token().scope("read"));
        assert_eq!(gateway.ask("GET", "/orders/1", Some(&known)).await.status, 200, "{mode}");
        server.stop().await;
        for _ in 0..10 {
            assert_eq!(gateway.ask("GET", "/orders/1", Some(&known)).await.status, 200, "{mode}");
            let answer = gateway.ask("GET", "/orders/1", Some(&unknown)).await;
            assert_eq!((answer.status, &*answer.code()), (503, "introspection_unavailable"), "{mode}");
            assert!(answer.header("retry-after").is_some(), "{mode}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn no_fault_of_the_introspection_endpoint_lets_a_token_pass() {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", introspecting(&server, "json", ", timeout = \"300ms\""))).await;
    gateway.ready().await;
    for fault in [Fault::Status(500), Fault::Status(200), Fault::Hang] {
        server.fault(Endpoint::Introspection, fault.clone());
        let token = server.issue_opaque(server.token().scope("read"));
        let answer = gateway.ask("GET", "/orders/1", Some(&token)).await;
        assert_eq!(answer.status, 503, "{fault:?}: {answer:?}");
    }
}

#[tokio::test]
async fn a_thousand_requests_with_one_new_token_make_one_introspection() {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", introspecting(&server, "phantom", ""))).await;
    gateway.ready().await;
    let token = server.issue_opaque(server.token().scope("read"));
    let client = crate::support::client();
    let mut requests = JoinSet::new();
    for _ in 0..1000 {
        let request = client.get(gateway.url("/orders/1")).bearer_auth(&token).timeout(Duration::from_secs(30));
        requests.spawn(async move { request.send().await.unwrap().status().as_u16() });
    }
    let statuses = requests.join_all().await;
    assert_eq!(statuses, vec![200; 1000]);
    assert_eq!(server.requests(Endpoint::Introspection), 1);
}

#[tokio::test]
async fn keys_that_were_withdrawn_open_nothing() {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", issuer(&server, ""))).await;
    gateway.ready().await;
    let old = server.token().scope("read").sign();
    assert_eq!(gateway.ask("GET", "/orders/1", Some(&old)).await.status, 200);
    server.rotate_and_withdraw();
    let new = server.token().scope("read").sign();
    assert_eq!(gateway.ask("GET", "/orders/1", Some(&new)).await.status, 200, "an unknown key is fetched");
    assert_eq!(gateway.ask("GET", "/orders/1", Some(&old)).await.status, 401, "and the old one is gone with it");
}
