use std::time::Duration;

use portcullis_testkit::{Algorithm, AuthorizationServer, Endpoint, Fault, TestClock};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{Token, client, get_json};

async fn server() -> (AuthorizationServer, TestClock) {
    let clock = TestClock::new();
    let builder = AuthorizationServer::builder().algorithm(Algorithm::ES256);
    let server = builder.clock(clock.clone()).start().await.unwrap();
    (server, clock)
}

async fn introspect_as(server: &AuthorizationServer, token: &str, accept: &str) -> Response {
    let request = client().post(server.url("/introspect"));
    let request = request.basic_auth("test-client", Some("test-secret"));
    let request = request.header("accept", accept).form(&[("token", token)]);
    request.send().await.unwrap()
}

async fn introspect(server: &AuthorizationServer, token: &str) -> Value {
    let response = introspect_as(server, token, "application/json").await;
    assert_eq!(response.status(), StatusCode::OK);
    response.json().await.unwrap()
}

fn inactive() -> Value {
    json!({ "active": false })
}

#[tokio::test]
async fn an_opaque_token_is_active_until_it_expires() {
    let (server, clock) = server().await;
    let token = server.issue_opaque(server.token().scope("read"));
    let answer = introspect(&server, &token).await;
    assert_eq!(answer["active"], true);
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["scope"], "read");
    assert_eq!(answer["sub"], "alice");
    assert_eq!(answer["iss"], server.issuer());

    clock.advance(Duration::from_secs(299));
    assert_eq!(introspect(&server, &token).await["active"], true);
    clock.advance(Duration::from_secs(1));
    assert_eq!(introspect(&server, &token).await, inactive());
}

#[tokio::test]
async fn exactly_the_given_claims_are_told() {
    let (server, _) = server().await;
    let token = server.issue_opaque(json!({ "sub": "bob" }));
    let expected = json!({ "active": true, "token_type": "Bearer", "sub": "bob" });
    assert_eq!(introspect(&server, &token).await, expected);
}

#[tokio::test]
async fn jwts_are_known_by_the_published_keys() {
    let (server, _) = server().await;
    let good = server.token().sign();
    assert_eq!(introspect(&server, &good).await["active"], true);

    let (other, _) = self::server().await;
    let early = server.token().not_before_in(Duration::from_secs(9)).sign();
    for token in [other.token().sign(), early, "unknown".into(), "a.b.c".into()] {
        assert_eq!(introspect(&server, &token).await, inactive(), "{token}");
    }
    server.rotate_and_withdraw();
    assert_eq!(introspect(&server, &good).await, inactive());
}

#[tokio::test]
async fn a_revoked_token_is_inactive() {
    let (server, _) = server().await;
    for token in [server.issue_opaque(server.token()), server.token().sign()] {
        assert_eq!(introspect(&server, &token).await["active"], true);
        server.revoke(&token);
        assert_eq!(introspect(&server, &token).await, inactive());
    }
}

#[tokio::test]
async fn the_answer_can_be_signed() {
    let (server, _) = server().await;
    let media_type = "application/token-introspection+jwt";
    let opaque = server.issue_opaque(json!({ "sub": "bob" }));
    let response = introspect_as(&server, &opaque, media_type).await;
    assert_eq!(response.headers()["content-type"], media_type);
    let answer = Token::read(&response.text().await.unwrap());

    assert!(answer.verifies(&get_json(server.jwks_uri()).await));
    assert_eq!(answer.header["typ"], "token-introspection+jwt");
    assert_eq!(answer.claims["iss"], server.issuer());
    assert_eq!(answer.claims["aud"], "test-client");
    assert!(answer.claims["iat"].is_i64());
    assert_eq!(answer.claims["token_introspection"]["active"], true);
    assert_eq!(answer.claims["token_introspection"]["sub"], "bob");
    assert!(answer.claims.get("sub").is_none());

    let response = introspect_as(&server, "unknown", media_type).await;
    let answer = Token::read(&response.text().await.unwrap());
    assert_eq!(answer.claims["token_introspection"], inactive());
}

#[tokio::test]
async fn an_opaque_token_stands_for_a_jwt() {
    let (server, _) = server().await;
    let opaque = server.issue_opaque(server.token().scope("read"));
    let accept = "text/html, application/jwt;q=0.9";
    let response = introspect_as(&server, &opaque, accept).await;
    assert_eq!(response.headers()["content-type"], "application/jwt");
    let phantom = Token::read(&response.text().await.unwrap());

    assert!(phantom.verifies(&get_json(server.jwks_uri()).await));
    assert_eq!(phantom.header["typ"], "at+jwt");
    assert_eq!(phantom.claims["scope"], "read");

    let response = introspect_as(&server, "unknown", accept).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_client_has_to_authenticate() {
    let (server, _) = server().await;
    let request = client().post(server.url("/introspect"));
    let response = request.form(&[("token", "x")]).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(server.requests(Endpoint::Introspection), 1);
}

#[tokio::test]
async fn a_token_has_to_be_named() {
    let (server, _) = server().await;
    let response = introspect_as(&server, "", "application/json").await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_server_may_answer_with_an_error_where_a_token_is_not_active() {
    let (server, _) = server().await;
    let active = server.issue_opaque(server.token());
    for (body, expected) in [(true, r#"{"active":false}"#), (false, "")] {
        server.fault(Endpoint::Introspection, Fault::InactiveToken { status: 401, body });
        let answer = introspect_as(&server, "never-issued", "application/json").await;
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (401, expected));
        assert_eq!(introspect_as(&server, &active, "application/json").await.status(), 200);
    }
}
