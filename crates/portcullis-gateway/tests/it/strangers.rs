//! One client cannot affect others at the introspection endpoint.

use std::collections::HashMap;

use envoy_types::pb::envoy::{
    config::core::v3::{Address, SocketAddress, address},
    service::auth::v3::{
        AttributeContext, CheckRequest,
        attribute_context::{HttpRequest, Peer, Request},
        authorization_client::AuthorizationClient,
        check_response::HttpResponse,
    },
};
use portcullis_testkit::{AuthorizationServer, Endpoint, Fault};
use tokio::task::JoinSet;
use tonic::transport::Channel;

use crate::support::{Answer, Gateway, ROUTES, client, introspecting};

const STRANGER: &str = "203.0.113.9";
const USER: &str = "198.51.100.7";

async fn scene(mode: &str, further: &str) -> (AuthorizationServer, Gateway) {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", introspecting(&server, mode, further))).await;
    gateway.ready().await;
    (server, gateway)
}

/// Sends a question as a proxy that tells the client's address.
async fn ask_from(gateway: &Gateway, address: &str, token: &str) -> Answer {
    let request = client().get(gateway.url("/auth")).bearer_auth(token);
    let request = request.header("X-Original-Method", "GET").header("X-Original-URI", "/orders/1");
    // Addresses to the left are made up by the client.
    let request = request.header("X-Forwarded-For", format!("{USER}, {address}"));
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_server_that_answers_401_to_unknown_tokens_refuses_them_alone() {
    for (mode, body) in [("json", true), ("json", false), ("phantom", false)] {
        let (server, gateway) = scene(mode, "").await;
        server.fault(Endpoint::Introspection, Fault::InactiveToken { status: 401, body });
        for number in 0..5 {
            let answer = gateway.ask("GET", "/orders/1", Some(&format!("made-up-{number}"))).await;
            let expected = if body { (401, "inactive_token") } else { (503, "introspection_unavailable") };
            assert_eq!((answer.status, &*answer.code()), expected, "{mode} {body}");
        }
        let good = server.issue_opaque(server.token().scope("read"));
        assert_eq!(gateway.ask("GET", "/orders/1", Some(&good)).await.status, 200, "{mode} {body}");
        assert_eq!(server.requests(Endpoint::Introspection), 6, "{mode} {body}");
        for number in 5..15 {
            let answer = gateway.ask("GET", "/orders/1", Some(&format!("made-up-{number}"))).await;
            assert_eq!((answer.status, &*answer.code()), (401, "inactive_token"), "{mode} {body}");
        }
    }
}

#[tokio::test]
async fn too_many_questions_or_failures_hold_up_the_client_that_brought_them_about() {
    for (status, asked) in [(429, 1), (500, 5)] {
        let (server, gateway) = scene("json", "").await;
        server.fault(Endpoint::Introspection, Fault::InactiveToken { status, body: false });
        for number in 0..10 {
            let answer = ask_from(&gateway, STRANGER, &format!("made-up-{number}")).await;
            assert_eq!((answer.status, &*answer.code()), (503, "introspection_unavailable"), "{status}");
            assert!(answer.header("retry-after").is_some(), "{answer:?}");
        }
        assert_eq!(server.requests(Endpoint::Introspection), asked, "{status}: it is held up");
        let good = server.issue_opaque(server.token().scope("read"));
        assert_eq!(ask_from(&gateway, USER, &good).await.status, 200, "{status}");
    }
}

#[tokio::test]
async fn a_flood_of_one_client_leaves_turns_to_others() {
    let (server, gateway) = scene("json", ", timeout = \"10s\"").await;
    let good = server.issue_opaque(server.token().scope("read"));
    server.fault(Endpoint::Introspection, Fault::Hang);
    let mut flood = JoinSet::new();
    for number in 0..100 {
        let request = client().get(gateway.url("/auth")).bearer_auth(format!("flood-{number}"));
        let request = request.header("X-Original-Method", "GET").header("X-Original-URI", "/orders/1");
        let request = request.header("X-Forwarded-For", STRANGER);
        flood.spawn(async move { request.send().await.unwrap().status().as_u16() });
    }
    server.wait_for_requests(Endpoint::Introspection, 32).await;
    // The server still hangs for those, and answers new clients.
    let asking = tokio::spawn({
        let request = client().get(gateway.url("/auth")).bearer_auth(&good);
        let request = request.header("X-Original-Method", "GET").header("X-Original-URI", "/orders/1");
        request.header("X-Forwarded-For", USER).send()
    });
    server.wait_for_requests(Endpoint::Introspection, 33).await;
    server.heal(Endpoint::Introspection);
    assert_eq!(asking.await.unwrap().unwrap().status(), 200);
    flood.join_all().await;
}

fn check(address: &str, token: &str) -> CheckRequest {
    let headers = HashMap::from([("authorization".to_owned(), format!("Bearer {token}"))]);
    let http =
        HttpRequest { method: "GET".to_owned(), path: "/orders/1".to_owned(), headers, ..HttpRequest::default() };
    let socket = SocketAddress { address: address.to_owned(), ..SocketAddress::default() };
    let source =
        Peer { address: Some(Address { address: Some(address::Address::SocketAddress(socket)) }), ..Peer::default() };
    CheckRequest {
        attributes: Some(AttributeContext {
            source: Some(source),
            request: Some(Request { http: Some(http), ..Request::default() }),
            ..AttributeContext::default()
        }),
    }
}

async fn passes(envoy: &mut AuthorizationClient<Channel>, check: CheckRequest) -> bool {
    let response = envoy.check(check).await.unwrap().into_inner();
    matches!(response.http_response, Some(HttpResponse::OkResponse(_)))
}

#[tokio::test]
async fn envoy_tells_clients_apart_too() {
    let (server, gateway) = scene("json", "").await;
    let mut envoy = AuthorizationClient::connect(format!("http://{}", gateway.grpc)).await.unwrap();
    server.fault(Endpoint::Introspection, Fault::InactiveToken { status: 500, body: false });
    for number in 0..10 {
        assert!(!passes(&mut envoy, check(STRANGER, &format!("made-up-{number}"))).await);
    }
    assert_eq!(server.requests(Endpoint::Introspection), 5);
    let good = server.issue_opaque(server.token().scope("read"));
    assert!(passes(&mut envoy, check(USER, &good)).await);
}

#[tokio::test]
async fn the_limits_of_questions_are_keys() {
    let further = ", max_questions = 2, max_answer_bytes = \"1KiB\", max_answer_age = \"10s\", remember_refusals = 10, \
                   remember_refusals_for = \"0s\"";
    let (server, gateway) = scene("json", further).await;
    for _ in 0..2 {
        assert_eq!(gateway.ask("GET", "/orders/1", Some("made-up")).await.code(), "inactive_token");
    }
    assert_eq!(server.requests(Endpoint::Introspection), 2, "no refusal is remembered");
    let long = server.issue_opaque(server.token().scope("read").claim("long", "a".repeat(1024)));
    assert_eq!(gateway.ask("GET", "/orders/1", Some(&long)).await.code(), "introspection_unavailable");
    let told = gateway.page("/status").await.body;
    assert!(told.contains("expected an answer of at most 1024 bytes (`max_answer_bytes`), got more"), "{told}");
}
