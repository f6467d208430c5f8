//! Judging without tower: by the values of a request's `Authorization` fields.

use portcullis::{JwksService, Secure, Verifier};
use portcullis_testkit::{Attack, AuthorizationServer, Endpoint, Fault};

fn bearer(token: &str) -> Vec<u8> {
    format!("Bearer {token}").into_bytes()
}

#[tokio::test]
async fn a_verdict_comes_at_once_unless_keys_are_needed_first() {
    let server = AuthorizationServer::start().await;
    let secure = Secure::new(JwksService::new(&server.jwks_uri()).unwrap());
    let field = bearer(&server.token().subject("alice").sign());

    assert!(secure.judge_now(&[&field]).is_none(), "nothing was fetched yet");
    let access = secure.judge(&[&field]).await.unwrap().unwrap();
    assert_eq!(access.claims().subject(), Some("alice"));
    let access = secure.judge_now(&[&field]).unwrap().unwrap().unwrap();
    assert_eq!(access.claims().subject(), Some("alice"));
    assert_eq!(server.requests(Endpoint::Jwks), 1);
}

#[tokio::test]
async fn what_is_known_needs_no_signature() {
    let server = AuthorizationServer::start().await;
    let jwks = JwksService::new(&server.jwks_uri()).unwrap();
    jwks.prefetch().await.unwrap();
    let (secure, field) = (Secure::new(jwks), bearer(&server.token().sign()));

    assert_eq!(secure.judge_known(&[]).unwrap().unwrap_err().code(), "no_credentials");
    assert!(secure.judge_known(&[&field]).is_none(), "never seen");
    assert!(secure.judge_known(&[&bearer(&server.hostile(Attack::Expired))]).is_none(), "whatever it is");
    secure.judge(&[&field]).await.unwrap().unwrap();
    secure.judge_known(&[&field]).unwrap().unwrap().unwrap();
    assert_eq!(secure.clone().scope(["x"]).judge_known(&[&field]).unwrap().unwrap_err().code(), "insufficient_scope");
}

#[tokio::test]
async fn fields_are_judged_as_those_of_a_request_are() {
    let server = AuthorizationServer::start().await;
    let jwks = JwksService::new(&server.jwks_uri()).unwrap();
    jwks.prefetch().await.unwrap();
    let (good, expired) = (bearer(&server.token().scope("read").sign()), bearer(&server.hostile(Attack::Expired)));
    let secure = Secure::new(jwks).scope(["write"]);
    let table: &[(&[&[u8]], &str, u16)] = &[
        (&[], "no_credentials", 401),
        (&[b"Basic YTpi"], "other_scheme", 401),
        (&[b"Bearer"], "empty_token", 401),
        (&[&good, &good], "several_tokens", 400),
        (&[&good, b""], "several_tokens", 400),
        (&[&expired], "expired", 403),
        (&[&good], "insufficient_scope", 403),
        (&[b"Bearer \xff"], "malformed_token", 403),
    ];
    for (fields, code, status) in table {
        let now = secure.judge_now(fields).unwrap().unwrap_err();
        assert_eq!((now.code(), secure.answer(&now).status().as_u16()), (*code, *status));
        assert_eq!(secure.judge(fields).await.unwrap_err().code(), *code, "late as at once");
    }
}

#[tokio::test]
async fn what_is_optional_may_be_missing_and_may_not_be_bad() {
    let server = AuthorizationServer::start().await;
    let secure = Secure::new(JwksService::new(&server.jwks_uri()).unwrap()).optional();
    assert!(secure.judge_now(&[]).unwrap().unwrap().is_none());
    assert!(secure.judge(&[b"Basic YTpi"]).await.unwrap().is_none());
    assert!(secure.judge(&[&bearer(&server.hostile(Attack::ForgedKey))]).await.is_err());
}

#[tokio::test]
async fn an_outage_is_told_with_the_time_to_come_back() {
    let server = AuthorizationServer::start().await;
    server.fault(Endpoint::Jwks, Fault::Status(500));
    let secure = Secure::new(JwksService::new(&server.jwks_uri()).unwrap());
    let refusal = secure.judge(&[&bearer(&server.token().sign())]).await.unwrap_err();
    let answer = secure.answer(&refusal);
    assert_eq!((refusal.code(), answer.status().as_u16()), ("keys_unavailable", 503));
    assert!(answer.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn without_any_key_all_but_the_key_is_judged() {
    let server = AuthorizationServer::start().await;
    let empty = JwksService::empty();
    assert!(!empty.ready(), "no token can pass");
    let verifier = Verifier::from(empty);
    let code = async |token: String| verifier.verify(&token).await.unwrap_err().code();
    assert_eq!(code(server.token().sign()).await, "unknown_key");
    assert_eq!(code(server.token().without_header("kid").sign()).await, "unknown_key");
    assert_eq!(code(server.hostile(Attack::TwoParts)).await, "malformed_token_parts");
    assert_eq!(code(server.hostile(Attack::AlgNone)).await, "algorithm_not_allowed");
    assert_eq!(code(server.hostile(Attack::DuplicateClaim)).await, "duplicate_member");
}

#[tokio::test]
async fn a_token_has_a_number_as_long_as_it_is_cached() {
    let server = AuthorizationServer::start().await;
    let verifier = Verifier::from(JwksService::new(&server.jwks_uri()).unwrap());
    let (one, other) = (server.token().subject("one").sign(), server.token().subject("other").sign());
    let id = async |token: &str| verifier.verify(token).await.unwrap().id();

    let first = id(&one).await;
    assert_eq!(id(&one).await, first, "cached");
    assert_ne!(id(&other).await, first);
    verifier.invalidate(&one);
    assert_ne!(id(&one).await, first, "verified anew");
}
