//! Scope and claim rules, as a layer applies them.

use http::StatusCode;
use portcullis::Secure;
use serde_json::{Value, json};

use crate::support::{Setup, answer, app, bearer};

async fn passes(setup: &Setup, secure: Secure, claims: &Value) -> bool {
    let token = claims
        .as_object()
        .unwrap()
        .iter()
        .fold(setup.server.token(), |token, (name, value)| token.claim(name, value.clone()));
    match answer(&app(secure), bearer(&token.sign())).await.status {
        StatusCode::OK => true,
        StatusCode::FORBIDDEN => false,
        // A rule that no token can meet.
        StatusCode::INTERNAL_SERVER_ERROR => false,
        other => panic!("{other}"),
    }
}

#[tokio::test]
pub(crate) async fn scope_values_match_whole() {
    let setup = Setup::new().await;
    let secure = || Secure::new(setup.jwks.clone());
    let table = [
        (secure().scope(["read"]), json!({ "scope": "read" }), true),
        (secure().scope(["read"]), json!({ "scope": "write read" }), true),
        (secure().scope(["read"]), json!({ "scope": "readwrite" }), false),
        (secure().scope(["read"]), json!({ "scope": "read:all" }), false),
        (secure().scope(["read"]), json!({ "scope": "Read" }), false),
        (secure().scope(["read"]), json!({ "scope": ["read"] }), true),
        (secure().scope(["read"]), json!({ "scope": ["write", "read"] }), true),
        (secure().scope(["read", "write"]), json!({ "scope": ["read", "write"] }), true),
        (secure().scope(["read", "write"]), json!({ "scp": ["read", "write"] }), true),
        (secure().scope(["read", "write"]), json!({ "scope": ["read"] }), false),
        (secure().scope(["read"]), json!({ "scope": ["readwrite", "Read", "read:all"] }), false),
        // An element is one value: it is not split, and one with a space is no scope value.
        (secure().scope(["read"]), json!({ "scope": ["read write"] }), false),
        (secure().scope(["read"]), json!({ "scp": ["read write"] }), false),
        (secure().scope(["read write"]), json!({ "scope": ["read write"] }), false),
        (secure().scope(["read write"]), json!({ "scp": ["read write"] }), false),
        (secure().scope([""]), json!({ "scope": ["", "read"] }), false),
        (secure().scope(["read"]), json!({ "scope": [["read"], { "read": true }, null, 5] }), false),
        (secure().scope(["read"]), json!({ "scope": { "read": true } }), false),
        (secure().scope(["read"]), json!({ "scope": ["write"], "scp": ["read"] }), false),
        (secure().scope(["read"]), json!({ "scope": [], "scp": ["read"] }), false),
        (secure().scope(["read"]), json!({ "scp": ["read"] }), true),
        (secure().scope(["read"]), json!({ "scp": "write read" }), true),
        (secure().scope(["read"]), json!({ "scope": "write", "scp": "read" }), false),
        (secure().scope(["read", "write"]), json!({ "scope": "read" }), false),
        (secure().scope(["read", "write"]), json!({ "scope": "write read" }), true),
        (secure().scope(["read"]).scope(["write"]), json!({ "scope": "read" }), false),
        (secure().any_scope(["read", "write"]), json!({ "scope": "write" }), true),
        (secure().any_scope(["read", "write"]), json!({ "scope": "admin" }), false),
        (secure().any_scope(["a"]).any_scope(["b"]), json!({ "scope": "a" }), false),
        (secure().any_scope(Vec::<String>::new()), json!({ "scope": "a" }), false),
        (secure().scope(["read"]), json!({}), false),
    ];
    for (secure, claims, expected) in table {
        assert_eq!(passes(&setup, secure.clone(), &claims).await, expected, "{claims} against {secure:?}");
    }
}

#[tokio::test]
pub(crate) async fn claims_match_by_presence_and_by_value() {
    let setup = Setup::new().await;
    let secure = || Secure::new(setup.jwks.clone());
    let table = [
        (secure().claim("a"), json!({ "a": 1 }), true),
        (secure().claim("a"), json!({ "a": null }), true),
        (secure().claim("a"), json!({ "a": [] }), true),
        (secure().claim("a"), json!({}), false),
        (secure().claim("toString"), json!({}), false),
        (secure().claim("/a/b"), json!({ "a": { "b": 1 } }), true),
        (secure().claim("/a/b"), json!({ "a": {} }), false),
        (secure().claim_value("a", "x"), json!({ "a": "x" }), true),
        (secure().claim_value("a", "x"), json!({ "a": "xy" }), false),
        (secure().claim_value("a", "x"), json!({ "a": ["w", "x"] }), true),
        (secure().claim_value("a", "x"), json!({ "a": ["w"] }), false),
        (secure().claim_value("a", "x"), json!({ "a": [["x"]] }), false),
        (secure().claim_value("a", 1), json!({ "a": 1.0 }), true),
        (secure().claim_value("a", 1), json!({ "a": "1" }), false),
        (secure().claim_value("a", true), json!({ "a": "true" }), false),
        (secure().claim_value("a", Value::Null), json!({ "a": null }), true),
        (secure().claim_value("a", json!({ "b": [1] })), json!({ "a": { "b": [1] } }), true),
        (secure().claim_value("/a/b", "x"), json!({ "a": { "b": ["x"] } }), true),
        (secure().claim_value("https://example.com/r", "x"), json!({ "https://example.com/r": "x" }), true),
        // Every rule counts, even after one for an array.
        (secure().claim_value("a", "x").claim("b"), json!({ "a": ["x"] }), false),
        (secure().claim("a").claim_value("b", 1), json!({ "a": [], "b": 2 }), false),
    ];
    for (secure, claims, expected) in table {
        assert_eq!(passes(&setup, secure.clone(), &claims).await, expected, "{claims} against {secure:?}");
    }
}
