use std::time::{Duration, UNIX_EPOCH};

use portcullis_testkit::{Algorithm, AuthorizationServer, Endpoint, TestClock};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{Token, client, get_json};

type Form<'a> = &'a [(&'a str, &'a str)];

const GRANT: (&str, &str) = ("grant_type", "client_credentials");
const ID: (&str, &str) = ("client_id", "test-client");
const SECRET: (&str, &str) = ("client_secret", "test-secret");

async fn server() -> AuthorizationServer {
    let builder = AuthorizationServer::builder().algorithm(Algorithm::ES256);
    builder.start().await.unwrap()
}

async fn post(server: &AuthorizationServer, form: Form<'_>) -> Response {
    let request = client().post(server.url("/token")).form(form);
    request.send().await.unwrap()
}

async fn granted(server: &AuthorizationServer, more: Form<'_>) -> Value {
    let response = post(server, &[&[GRANT, ID, SECRET], more].concat()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["cache-control"], "no-store");
    response.json().await.unwrap()
}

fn token(answer: &Value) -> Token {
    Token::read(answer["access_token"].as_str().unwrap())
}

#[tokio::test]
async fn a_client_gets_a_token() {
    let server = server().await;
    let answer = granted(&server, &[("scope", "read write")]).await;
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["scope"], "read write");
    assert!((299..=300).contains(&answer["expires_in"].as_i64().unwrap()));

    let token = token(&answer);
    assert!(token.verifies(&get_json(server.jwks_uri()).await));
    assert_eq!(token.claims["iss"], server.issuer());
    assert_eq!(token.claims["sub"], "test-client");
    assert_eq!(token.claims["client_id"], "test-client");
    assert_eq!(token.claims["scope"], "read write");
    assert_eq!(server.requests(Endpoint::Token), 1);
}

#[tokio::test]
async fn a_client_may_use_a_basic_field() {
    let server =
        AuthorizationServer::builder().algorithm(Algorithm::ES256).client("other", "s3cret").start().await.unwrap();
    let request = client().post(server.url("/token")).form(&[GRANT]);
    let request = request.basic_auth("other", Some("s3cret"));
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(token(&answer).claims["client_id"], "other");

    let default = post(&server, &[GRANT, ID, SECRET]).await;
    assert_eq!(default.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn audience_is_what_the_client_asks_for() {
    let server = server().await;
    let table: [(Form<'_>, Value); 4] = [
        (&[], json!("https://api.example.com")),
        (&[("audience", "a")], json!("a")),
        (&[("resource", "https://r.example")], json!("https://r.example")),
        (&[("audience", "a"), ("audience", "b"), ("resource", "c")], json!(["a", "b", "c"])),
    ];
    for (form, audience) in table {
        let answer = granted(&server, form).await;
        assert_eq!(token(&answer).claims["aud"], audience);
    }
}

#[tokio::test]
async fn further_claims_are_merged_in() {
    let server = server().await;
    let claims = r#"{"sub":"bob","roles":["admin"]}"#;
    let token = token(&granted(&server, &[("claims", claims)]).await);
    assert_eq!(token.claims["sub"], "bob");
    assert_eq!(token.claims["roles"], json!(["admin"]));
    assert_eq!(token.claims["client_id"], "test-client");
}

#[tokio::test]
async fn an_opaque_token_is_no_jwt() {
    let server = server().await;
    let answer = granted(&server, &[("token_format", "opaque")]).await;
    assert!(!answer["access_token"].as_str().unwrap().contains('.'));
}

#[tokio::test]
async fn tokens_follow_the_clock() {
    let clock = TestClock::at(UNIX_EPOCH + Duration::from_secs(1000));
    let server = AuthorizationServer::builder().algorithm(Algorithm::ES256).clock(clock.clone()).start().await.unwrap();
    clock.advance(Duration::from_secs(7));
    assert_eq!(server.now(), clock.now());
    let answer = granted(&server, &[]).await;
    assert_eq!(answer["expires_in"], 300);
    assert_eq!(token(&answer).claims["iat"], 1007);
    assert_eq!(token(&answer).claims["exp"], 1307);
}

#[tokio::test]
async fn a_client_chooses_the_lifetime() {
    let clock = TestClock::at(UNIX_EPOCH + Duration::from_secs(10_000));
    let server = AuthorizationServer::builder().algorithm(Algorithm::ES256).clock(clock).start().await.unwrap();
    let table: [(Form<'_>, i64, i64, i64); 4] = [
        (&[("expires_in", "20")], 10_000, 10_020, 20),
        (&[("expires_in", "0")], 10_000, 10_000, 0),
        (&[("expires_in", "-60")], 9_640, 9_940, 0),
        (&[("expires_in", "-60"), ("claims", r#"{"exp":10007}"#)], 9_640, 10_007, 7),
    ];
    for (form, iat, exp, left) in table {
        let answer = granted(&server, form).await;
        let claims = token(&answer).claims;
        assert_eq!((&claims["iat"], &claims["exp"], &answer["expires_in"]), (&iat.into(), &exp.into(), &left.into()));
    }
}

#[tokio::test]
async fn errors_are_those_of_rfc_6749() {
    let server = server().await;
    let wrong = ("client_secret", "wrong");
    let table: [(Form<'_>, u16, &str); 11] = [
        (&[GRANT], 401, "invalid_client"),
        (&[GRANT, ID], 401, "invalid_client"),
        (&[GRANT, ID, wrong], 401, "invalid_client"),
        (&[ID, SECRET], 400, "invalid_request"),
        (&[GRANT, GRANT, ID, SECRET], 400, "invalid_request"),
        (&[("grant_type", "password"), ID, SECRET], 400, "unsupported_grant_type"),
        (&[GRANT, ID, SECRET, ("scope", "a\"b")], 400, "invalid_scope"),
        (&[GRANT, ID, SECRET, ("claims", "[1]")], 400, "invalid_request"),
        (&[GRANT, ID, SECRET, ("token_format", "x")], 400, "invalid_request"),
        (&[GRANT, ID, SECRET, ("expires_in", "1m")], 400, "invalid_request"),
        (&[GRANT, ID, SECRET, ("expires_in", "9223372036854775808")], 400, "invalid_request"),
    ];
    for (form, status, error) in table {
        let response = post(&server, form).await;
        assert_eq!(response.status(), status, "{form:?}");
        let challenged = response.headers().contains_key("www-authenticate");
        assert_eq!(challenged, status == 401, "{form:?}");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"], error, "{form:?}");
    }
}

#[tokio::test]
async fn two_ways_of_authentication_are_one_too_many() {
    let server = server().await;
    let request = client().post(server.url("/token"));
    let request = request.form(&[GRANT, ID, SECRET]);
    let request = request.basic_auth("test-client", Some("test-secret"));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_body_that_is_no_form_is_an_invalid_request() {
    let server = server().await;
    let request = client().post(server.url("/token")).json(&json!({}));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"], "invalid_request");
}
