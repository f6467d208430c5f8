use std::time::Duration;

use portcullis_testkit::{Algorithm, AuthorizationServer, Endpoint};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Token, client, fingerprint, get, get_json};

async fn server() -> AuthorizationServer {
    let builder = AuthorizationServer::builder().algorithm(Algorithm::ES256);
    builder.start().await.unwrap()
}

fn kids(document: &Value) -> Vec<&str> {
    let keys = document["keys"].as_array().unwrap();
    keys.iter().filter_map(|key| key["kid"].as_str()).collect()
}

#[tokio::test]
async fn the_default_key_is_published_as_rs256() {
    let server = AuthorizationServer::start().await;
    let response = get(server.jwks_uri()).await;
    assert_eq!(response.headers()["content-type"], "application/jwk-set+json");
    let document: Value = response.json().await.unwrap();
    assert_eq!(document, json!({ "keys": [server.signing_key().public_jwk()] }));
    assert_eq!(document["keys"][0]["alg"], "RS256");
}

#[tokio::test]
async fn a_matching_entity_tag_is_answered_with_304() {
    let server = server().await;
    let tag = get(server.jwks_uri()).await.headers()["etag"].clone();

    let revalidate = || {
        let request = client().get(server.jwks_uri());
        request.header("if-none-match", tag.clone()).send()
    };
    let unchanged = revalidate().await.unwrap();
    assert_eq!(unchanged.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(unchanged.headers()["etag"], tag);

    server.rotate();
    let changed = revalidate().await.unwrap();
    assert_eq!(changed.status(), StatusCode::OK);
    assert_ne!(changed.headers()["etag"], tag);
}

#[tokio::test]
async fn caching_is_as_the_builder_says() {
    let server = AuthorizationServer::builder()
        .algorithm(Algorithm::ES256)
        .jwks_max_age(Duration::from_secs(120))
        .etag(false)
        .start()
        .await
        .unwrap();
    let response = get(server.jwks_uri()).await;
    assert_eq!(response.headers()["cache-control"], "max-age=120");
    assert!(response.headers().get("etag").is_none());
}

#[tokio::test]
async fn rotation_keeps_the_old_key_until_it_is_withdrawn() {
    let server = server().await;
    let old = server.signing_key();
    let by_old = Token::read(&server.token().sign());
    let new = server.rotate();
    let by_new = Token::read(&server.token().sign());

    let keys = get_json(server.jwks_uri()).await;
    assert_eq!(kids(&keys), [old.kid(), new.kid()]);
    assert_ne!(fingerprint(&keys["keys"][0]), fingerprint(&keys["keys"][1]));
    assert_eq!(by_new.header["kid"], new.kid());
    assert!(by_old.verifies(&keys) && by_new.verifies(&keys));

    server.withdraw(old.kid());
    let keys = get_json(server.jwks_uri()).await;
    assert_eq!(kids(&keys), [new.kid()]);
    assert!(!by_old.verifies(&keys));

    let newest = server.rotate_and_withdraw();
    assert_eq!(kids(&get_json(server.jwks_uri()).await), [newest.kid()]);
    assert_eq!(server.keys().len(), 1);
}

#[tokio::test]
async fn ids_of_keys_begin_with_the_prefix() {
    let builder = AuthorizationServer::builder().algorithms([Algorithm::ES256, Algorithm::EdDSA]);
    let server = builder.key_id_prefix("second-").start().await.unwrap();
    server.rotate();
    let keys = get_json(server.jwks_uri()).await;
    assert_eq!(kids(&keys), ["second-es256-1", "second-eddsa-2", "second-es256-3"]);
    assert!(Token::read(&server.token().sign()).verifies(&keys));
}

#[tokio::test]
async fn odd_keys_and_documents_are_published() {
    let server = server().await;
    server.publish_jwk(json!({ "kty": "odd", "kid": "odd" }));
    let document = get_json(server.jwks_uri()).await;
    assert_eq!(kids(&document), [server.signing_key().kid(), "odd"]);

    server.set_jwks(Some(json!(["not", "a", "set"])));
    let replaced = get_json(server.jwks_uri()).await;
    assert_eq!(replaced, json!(["not", "a", "set"]));
    server.set_jwks(None);
    assert_eq!(get_json(server.jwks_uri()).await, document);

    server.withdraw("odd");
    let document = get_json(server.jwks_uri()).await;
    assert_eq!(kids(&document), [server.signing_key().kid()]);
}

#[tokio::test]
async fn requests_are_counted_and_their_headers_kept() {
    let server = server().await;
    assert_eq!(server.requests(Endpoint::Jwks), 0);
    assert!(server.last_request_headers(Endpoint::Jwks).is_none());

    let request = client().get(server.jwks_uri()).header("x-test", "7");
    request.send().await.unwrap();
    client().post(server.jwks_uri()).send().await.unwrap();
    assert_eq!(server.requests(Endpoint::Jwks), 2);
    assert_eq!(server.requests(Endpoint::Token), 0);

    let request = client().get(server.jwks_uri()).header("x-test", "8");
    request.send().await.unwrap();
    let headers = server.last_request_headers(Endpoint::Jwks).unwrap();
    assert_eq!(headers["x-test"], "8");

    server.reset_requests();
    assert_eq!(server.requests(Endpoint::Jwks), 0);
}

#[tokio::test]
async fn the_rotation_endpoint_is_off_unless_asked_for() {
    let server = server().await;
    let refused = client().post(server.url("/rotate")).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::NOT_FOUND);

    let server =
        AuthorizationServer::builder().algorithm(Algorithm::ES256).rotation_endpoint(true).start().await.unwrap();
    let answer = client().post(server.url("/rotate")).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["kid"], server.signing_key().kid());
    assert_eq!(server.keys().len(), 2);
    assert_eq!(server.requests(Endpoint::Rotate), 1);
}
