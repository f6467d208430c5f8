use std::time::Duration;

use portcullis_testkit::{Algorithm, AuthorizationServer, Endpoint, Fault};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{client, get, get_json};

async fn server() -> AuthorizationServer {
    let builder = AuthorizationServer::builder().algorithm(Algorithm::ES256);
    builder.start().await.unwrap()
}

async fn faulty(fault: Fault) -> AuthorizationServer {
    let server = server().await;
    server.fault(Endpoint::Jwks, fault);
    server
}

#[tokio::test]
async fn a_fault_lasts_until_it_is_healed() {
    let server = faulty(Fault::Status(503)).await;
    for _ in 0..2 {
        let response = get(server.jwks_uri()).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    server.heal(Endpoint::Jwks);
    assert_eq!(get(server.jwks_uri()).await.status(), StatusCode::OK);
    assert_eq!(server.requests(Endpoint::Jwks), 3);
}

#[tokio::test]
async fn single_faults_come_first_and_in_order() {
    let server = faulty(Fault::Status(500)).await;
    server.fault_once(Endpoint::Jwks, Fault::Status(501));
    server.fault_once(Endpoint::Jwks, Fault::Status(502));
    for status in [501, 502, 500, 500] {
        assert_eq!(get(server.jwks_uri()).await.status(), status);
    }
}

#[tokio::test]
async fn a_fault_stays_at_its_endpoint_and_healing_all_ends_all() {
    let server = faulty(Fault::Status(500)).await;
    server.fault(Endpoint::OAuthMetadata, Fault::Status(500));
    let openid = server.url("/.well-known/openid-configuration");
    let oauth = server.url("/.well-known/oauth-authorization-server");
    assert_eq!(get(&openid).await.status(), StatusCode::OK);
    assert_eq!(get(&oauth).await.status(), 500);
    server.heal_all();
    assert_eq!(get(&oauth).await.status(), StatusCode::OK);
    assert_eq!(get(server.jwks_uri()).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_delay_ends_in_the_usual_answer() {
    let server = faulty(Fault::Delay(Duration::from_millis(1))).await;
    let document = get_json(server.jwks_uri()).await;
    assert_eq!(document["keys"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_hangs_is_answered_once_healed() {
    let server = faulty(Fault::Hang).await;
    let request = tokio::spawn(get_json(server.jwks_uri()));
    server.wait_for_requests(Endpoint::Jwks, 1).await;
    assert!(!request.is_finished());

    server.heal(Endpoint::Token);
    server.fault(Endpoint::Jwks, Fault::Status(500));
    let document = request.await.unwrap();
    assert_eq!(document["keys"].as_array().unwrap().len(), 1);
    assert_eq!(get(server.jwks_uri()).await.status(), 500);
}

#[tokio::test]
async fn what_hangs_is_dropped_when_the_server_stops() {
    let server = faulty(Fault::Hang).await;
    let request = tokio::spawn(client().get(server.jwks_uri()).send());
    server.wait_for_requests(Endpoint::Jwks, 1).await;
    server.stop().await;
    assert!(request.await.unwrap().is_err());
}

#[tokio::test]
async fn a_cut_off_body_stops_in_the_middle() {
    let server = server().await;
    let whole = get(server.jwks_uri()).await.bytes().await.unwrap();
    server.fault(Endpoint::Jwks, Fault::CutOff);

    let mut response = get(server.jwks_uri()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.content_length(), Some(whole.len() as u64));
    let start = response.chunk().await.unwrap().unwrap();
    assert_eq!(start, whole[..whole.len() / 2]);
    assert!(response.chunk().await.is_err());
}

#[tokio::test]
async fn a_page_calls_itself_json() {
    let server = faulty(Fault::NotJson).await;
    let response = get(server.jwks_uri()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(response.json::<Value>().await.is_err());
}

#[tokio::test]
async fn a_huge_body_is_valid_json() {
    let server = faulty(Fault::HugeBody(3_000_000)).await;
    let response = get(server.jwks_uri()).await;
    assert!(response.content_length().unwrap() > 3_000_000);
    let document: Value = response.json().await.unwrap();
    assert_eq!(document["keys"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_endless_body_goes_on() {
    let server = faulty(Fault::EndlessBody).await;
    let mut response = get(server.jwks_uri()).await;
    assert_eq!(response.content_length(), None);
    let mut read = 0;
    while read < 2_000_000 {
        read += response.chunk().await.unwrap().unwrap().len();
    }
}

#[tokio::test]
async fn the_key_set_can_be_empty() {
    let server = faulty(Fault::NoKeys).await;
    assert_eq!(get_json(server.jwks_uri()).await, json!({ "keys": [] }));
}

#[tokio::test]
async fn a_redirect_leads_elsewhere() {
    let target = "https://elsewhere.example/jwks";
    let server = faulty(Fault::Redirect(target.into())).await;
    let response = client().get(server.jwks_uri()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
    assert_eq!(response.headers()["location"], target);
}

#[tokio::test]
async fn any_body_can_be_sent() {
    let server = faulty(Fault::Body { content_type: "text/plain".into(), body: "hello".into() }).await;
    let response = get(server.jwks_uri()).await;
    assert_eq!(response.headers()["content-type"], "text/plain");
    assert_eq!(response.text().await.unwrap(), "hello");
}

#[tokio::test]
async fn a_refused_request_gets_no_answer() {
    let server = faulty(Fault::Refuse).await;
    assert!(client().get(server.jwks_uri()).send().await.is_err());
    assert!(server.requests(Endpoint::Jwks) >= 1);
    server.heal(Endpoint::Jwks);
    assert_eq!(get(server.jwks_uri()).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_number_that_is_no_status_is_sent_as_500() {
    let server = faulty(Fault::Status(7)).await;
    assert_eq!(get(server.jwks_uri()).await.status(), 500);
}
