//! Token exchange (RFC 8693) behind a layer: only a token that was judged is handed on, whatever the server does.

mod discovered;
mod failures;
mod judged;
mod sharing;
mod subjects;

use std::time::Duration;

use axum::{Router, routing::get};
use portcullis::{
    Access, AccessRejection, ClientAuthentication, Exchanger, ExchangerBuilder, Secure, Target, Verifier,
    VerifierBuilder,
};
use portcullis_testkit::{Endpoint, ExchangeFault};
use serde_json::Value;

use crate::support::{Setup, answer, bearer};

const INVENTORY: &str = "https://inventory.example.com";

fn issuer(setup: &Setup) -> VerifierBuilder {
    Verifier::builder(setup.jwks.clone()).issuer(setup.server.issuer())
}

fn exchanger(setup: &Setup) -> ExchangerBuilder {
    let client = ClientAuthentication::basic("test-client", "test-secret");
    Exchanger::builder(&format!("{}/token", setup.server.issuer()), client, issuer(setup))
}

fn target() -> Target {
    Target::audience(INVENTORY).scope(["stock:read"])
}

/// An app whose handler answers with the exchanged token.
fn app_with(secure: Secure, exchanger: &Exchanger) -> Router {
    let secure = secure.exchange("inventory", exchanger, target()).unwrap();
    Router::new().route("/", get(exchanged)).route("/billing", get(unknown)).layer(secure.problem_json())
}

fn app(setup: &Setup, exchanger: &Exchanger) -> Router {
    let verifier = issuer(setup).audience("https://api.example.com").build().unwrap();
    app_with(Secure::new(verifier), exchanger)
}

async fn exchanged(access: Access) -> Result<String, AccessRejection> {
    let token = access.exchange("inventory").await?;
    assert_eq!(token.authorization(), format!("Bearer {}", token.token()));
    assert!(token.authorization().is_sensitive() && !format!("{token:?}").contains(token.token()));
    Ok(token.token().to_owned())
}

async fn unknown(access: Access) -> Result<String, AccessRejection> {
    Ok(access.exchange("billing").await?.token().to_owned())
}

/// The status, and the exchanged token or the code of the refusal.
async fn verdict(app: &Router, token: &str) -> (u16, String) {
    let answer = answer(app, bearer(token)).await;
    let code = answer.body.split("\"code\":\"").nth(1).and_then(|rest| rest.split('"').next());
    (answer.status.as_u16(), code.map_or(answer.body.clone(), str::to_owned))
}

fn refused(code: &str) -> (u16, String) {
    (403, code.to_owned())
}

fn unavailable() -> (u16, String) {
    (503, "exchange_unavailable".to_owned())
}

fn unusable() -> (u16, String) {
    (503, "exchange_unusable".to_owned())
}

fn asked(setup: &Setup) -> u64 {
    setup.server.requests(Endpoint::Token)
}

/// The claims of a JWT, unverified.
fn claims(token: &str) -> Value {
    use base64::Engine;
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn a_token_is_exchanged_once_for_one_of_the_upstream() {
    let setup = Setup::new().await;
    let exchanger = exchanger(&setup).build().unwrap();
    let app = app(&setup, &exchanger);
    let token = setup.server.token().subject("alice").sign();
    let (status, first) = verdict(&app, &token).await;
    assert_eq!(status, 200, "{first}");
    let claims = claims(&first);
    assert_eq!(claims["aud"], INVENTORY);
    assert_eq!(claims["sub"], "alice");
    assert_eq!(claims["scope"], "stock:read");
    assert_eq!(claims["client_id"], "test-client");
    let fields = setup.server.last_request_headers(Endpoint::Token).unwrap();
    assert!(fields["authorization"].to_str().unwrap().starts_with("Basic "));
    for _ in 0..3 {
        assert_eq!(verdict(&app, &token).await, (200, first.clone()));
    }
    assert_eq!(asked(&setup), 1);
    let other = setup.server.token().subject("bob").sign();
    assert_ne!(verdict(&app, &other).await.1, first, "each token has its own");
    assert_eq!(asked(&setup), 2);
    assert_eq!(exchanger.status().failures, 0);
}

#[tokio::test]
async fn many_with_one_new_token_cause_one_exchange() {
    let setup = Setup::new().await;
    let app = app(&setup, &exchanger(&setup).build().unwrap());
    let token = setup.server.token().sign();
    let requests: Vec<_> = (0..1000)
        .map(|_| {
            let (app, token) = (app.clone(), token.clone());
            tokio::spawn(async move { verdict(&app, &token).await.0 })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), 200);
    }
    assert_eq!(asked(&setup), 1);
}

#[tokio::test]
async fn an_exchanged_token_is_kept_for_its_time_and_while_its_key_is_in_use() {
    let setup = Setup::new().await;
    let app = app(&setup, &exchanger(&setup).keep_for(Duration::from_secs(30)).build().unwrap());
    let token = setup.server.token().expires_in(Duration::from_secs(300)).sign();
    // Another key than the client's token is signed with.
    let second = setup.server.rotate();
    setup.jwks.refresh().await.unwrap();
    assert_eq!(verdict(&app, &token).await.0, 200);
    setup.clock.advance(Duration::from_secs(29));
    assert_eq!(verdict(&app, &token).await.0, 200);
    assert_eq!(asked(&setup), 1);
    setup.clock.advance(Duration::from_secs(2));
    assert_eq!((verdict(&app, &token).await.0, asked(&setup)), (200, 2), "it is kept for 30 s");
    setup.server.rotate();
    setup.server.withdraw(second.kid());
    setup.jwks.refresh().await.unwrap();
    assert_eq!((verdict(&app, &token).await.0, asked(&setup)), (200, 3), "its key was withdrawn");
}

#[tokio::test]
async fn a_name_that_the_layer_does_not_have_is_our_mistake_and_the_log_names_the_others() {
    let setup = Setup::new().await;
    let exchanger = exchanger(&setup).build().unwrap();
    let app = app(&setup, &exchanger);
    let token = setup.server.token().sign();
    let request = http::Request::get("/billing").header("authorization", format!("Bearer {token}"));
    let answer = answer(&app, request.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 500);
    assert!(answer.body.contains("unknown_exchange") && !answer.body.contains("inventory"), "{}", answer.body);
    assert_eq!(asked(&setup), 0);

    let verifier = issuer(&setup).build().unwrap();
    for (secure, expected) in [
        (Secure::new(verifier.clone()), "declare it by `Secure::exchange`"),
        (Secure::new(verifier).exchange("inventory", &exchanger, target()).unwrap(), "one of [\"inventory\"]"),
    ] {
        let field = format!("Bearer {token}");
        let access = crate::support::judge(&secure, &[field.as_bytes()]).await.unwrap().unwrap();
        let rejection = access.exchange("billing").await.unwrap_err();
        assert!(rejection.to_string().contains(expected), "{rejection}");
        assert_eq!(rejection.answer().status(), 500);
    }
}

#[test]
fn a_target_names_its_service_as_the_rfc_has_it() {
    for (target, problem) in [
        (Target::default(), "expected `audience` or `resource`"),
        (Target::audience(""), "got an empty text"),
        (Target::resource("inventory"), "expected an absolute URI"),
        (Target::resource("https://inventory.example.com/#a"), "without a fragment"),
        (Target::audience("inventory").scope(["a b"]), "expected one scope value in each element"),
        (Target::audience("inventory").scope([""]), "expected one scope value in each element"),
    ] {
        let error = target.check().unwrap_err().to_string();
        assert!(error.contains(problem), "{target:?}: {error}");
    }
    let both: Target = serde_json::from_str(
        r#"{ "audience": "inventory", "resource": "urn:example:inventory", "scope": ["a", "b"], "token_type": "jwt" }"#,
    )
    .unwrap();
    both.check().unwrap();
    assert_eq!(both.to_string(), "a token for audience inventory and resource urn:example:inventory with scope a b");
    assert!(serde_json::from_str::<Target>(r#"{ "audiences": "inventory" }"#).is_err());
}

#[test]
fn nothing_of_a_token_is_logged() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut secrets = Vec::new();
    let log = crate::metrics::Log::of(tracing::Level::TRACE, |_| {
        runtime.block_on(async {
            let setup = Setup::new().await;
            let app = app(&setup, &exchanger(&setup).build().unwrap());
            for fault in [None, Some(ExchangeFault::OtherAudience), Some(ExchangeFault::Refused("access_denied"))] {
                setup.server.exchange_fault(fault);
                let token = setup.server.token().subject("secret-subject").sign();
                let (_, told) = verdict(&app, &token).await;
                secrets.push(token);
                secrets.extend((fault.is_none()).then_some(told));
            }
        });
    });
    let log = log.text();
    assert!(log.contains("token exchange failed") && log.contains("access_denied"), "{log}");
    let parts = secrets.iter().flat_map(|token| token.split('.'));
    for secret in parts.filter(|part| part.len() > 60).chain(["secret-subject", "test-secret", "elsewhere"]) {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}
