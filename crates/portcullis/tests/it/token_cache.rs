//! Cached tokens pass at once, and only as long as they would be accepted again.

use std::{ptr, time::Duration};

use axum::{Router, routing::get};
use http::StatusCode;
use portcullis::{Access, Claims, JwksService, Secure, VerifiedToken, Verifier};
use portcullis_testkit::{Algorithm, AuthorizationServer, SigningKey, TokenBuilder};
use serde_json::json;

use crate::support::{Setup, answer, app, bearer};

/// Returns true if both come from one verification.
fn same(a: &VerifiedToken, b: &VerifiedToken) -> bool {
    ptr::eq(&raw const **a.claims(), &raw const **b.claims())
}

/// Returns true if the cache keeps a token after its verification.
async fn is_kept(verifier: &Verifier, token: &str) -> bool {
    same(&verifier.verify(token).await.unwrap(), &verifier.verify(token).await.unwrap())
}

async fn code(verifier: &Verifier, token: &str) -> &'static str {
    verifier.verify(token).await.map_or_else(|refusal| refusal.code(), |_| "passed")
}

#[tokio::test]
async fn a_token_is_verified_once_and_its_claims_are_shared() {
    let setup = Setup::new().await;
    let verifier: Verifier = setup.jwks.clone().into();
    let token = setup.server.token().sign();
    assert!(is_kept(&verifier, &token).await);
    assert_eq!(verifier.token_cache_size().tokens, 1);
    assert!(verifier.token_cache_size().bytes > token.len());
    assert!(is_kept(&verifier.clone(), &token).await, "a clone is the same verifier");
}

#[tokio::test]
async fn the_cache_can_be_off_and_small() {
    let setup = Setup::new().await;
    let token = setup.server.token().sign();
    let build = || Verifier::builder(setup.jwks.clone());
    let table = [
        (build(), true),
        (build().without_token_cache(), false),
        (build().token_cache_bytes(100), false),
        (build().token_cache_bytes(10_000), true),
        (build().token_cache_tokens(0), false),
        (build().token_cache_tokens(1), true),
    ];
    for (builder, kept) in table {
        let shown = format!("{builder:?}");
        assert_eq!(is_kept(&builder.build().unwrap(), &token).await, kept, "{shown}");
    }
}

#[tokio::test]
async fn the_times_are_checked_at_each_request() {
    let setup = Setup::new().await;
    let verifier: Verifier = setup.jwks.clone().into();
    let minute = Duration::from_secs(60);
    let token = setup.server.token().expires_in(minute).sign();
    assert!(is_kept(&verifier, &token).await);
    setup.clock.advance(minute + Duration::from_secs(4));
    assert_eq!(code(&verifier, &token).await, "passed", "within the leeway");
    setup.clock.advance(Duration::from_secs(1));
    assert_eq!(code(&verifier, &token).await, "expired");
    setup.clock.rewind(2 * minute + Duration::from_secs(6));
    assert_eq!(code(&verifier, &token).await, "issued_in_future", "after the clock went back");
}

#[tokio::test]
async fn the_policy_runs_at_each_request() {
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone());
    let route = |secure: Secure| get(|| async {}).layer(secure);
    let app = Router::new()
        .route("/", route(secure.clone()))
        .route("/read", route(secure.clone().scope(["read"])))
        .route("/write", route(secure.clone().scope(["write"])))
        .route("/alice", route(secure.clone().claim_value("sub", "alice")))
        .route("/bob", route(secure.claim_value("sub", "bob")));
    let token = setup.server.token().scope("read").sign();
    for _ in 0..2 {
        for (path, status) in [("/", 200), ("/read", 200), ("/write", 403), ("/alice", 200), ("/bob", 403)] {
            let mut request = bearer(&token);
            *request.uri_mut() = path.parse().unwrap();
            assert_eq!(answer(&app, request).await.status, status, "{path}");
        }
    }
}

#[tokio::test]
async fn a_key_that_left_the_set_takes_its_tokens_along() {
    let setup = Setup::new().await;
    let verifier: Verifier = setup.jwks.clone().into();
    let token = setup.server.token().sign();
    assert!(is_kept(&verifier, &token).await);
    setup.server.rotate_and_withdraw();
    setup.jwks.refresh().await.unwrap();
    assert_eq!(code(&verifier, &token).await, "unknown_key");
}

#[tokio::test]
async fn all_keys_gone_take_all_tokens_along() {
    let setup = Setup::new().await;
    let verifier: Verifier = setup.jwks.clone().into();
    let token = setup.server.token().sign();
    assert!(is_kept(&verifier, &token).await);
    setup.server.set_jwks(Some(json!({ "keys": [] })));
    setup.jwks.refresh().await.unwrap_err();
    assert_eq!(code(&verifier, &token).await, "keys_unavailable");
}

#[tokio::test]
async fn another_key_under_the_same_name_does_not_inherit_tokens() {
    let setup = Setup::new().await;
    let verifier: Verifier = setup.jwks.clone().into();
    let token = setup.server.token().sign();
    assert!(is_kept(&verifier, &token).await);
    let kid = verifier.verify(&token).await.unwrap().kid().unwrap().to_owned();
    let usurper = SigningKey::generate(Algorithm::RS256, kid);
    setup.server.set_jwks(Some(json!({ "keys": [usurper.public_jwk()] })));
    setup.jwks.refresh().await.unwrap();
    assert_eq!(code(&verifier, &token).await, "bad_signature");
}

#[tokio::test]
async fn a_rotation_has_tokens_verified_anew_and_an_unchanged_set_does_not() {
    // Without ETags, an unchanged set comes as a whole.
    let setup = Setup::with(|server| server.etag(false), |jwks| jwks).await;
    let verifier: Verifier = setup.jwks.clone().into();
    let token = setup.server.token().sign();
    let first = verifier.verify(&token).await.unwrap();
    setup.jwks.refresh().await.unwrap();
    assert!(same(&first, &verifier.verify(&token).await.unwrap()), "the keys are the same");
    setup.server.rotate();
    setup.jwks.refresh().await.unwrap();
    assert!(!same(&first, &verifier.verify(&token).await.unwrap()), "the set has changed");
    assert!(is_kept(&verifier, &token).await);
}

#[tokio::test]
async fn after_a_long_outage_no_token_passes_that_cannot_be_judged() {
    let hour = Duration::from_secs(60 * 60);
    let setup = Setup::with(|server| server, |jwks| jwks.max_stale(hour)).await;
    let verifier: Verifier = setup.jwks.clone().into();
    let token = setup.server.token().expires_in(3 * hour).sign();
    assert!(is_kept(&verifier, &token).await);
    setup.server.stop().await;
    setup.clock.advance(hour - Duration::from_secs(1));
    assert_eq!(code(&verifier, &token).await, "passed", "an outage is no reason to refuse");
    setup.clock.advance(Duration::from_secs(1));
    assert_eq!(code(&verifier, &token).await, "keys_unavailable", "the keys are too old now");
}

#[tokio::test]
async fn an_invalidated_token_is_verified_anew_at_the_next_request() {
    let setup = Setup::new().await;
    let verifier: Verifier = setup.jwks.clone().into();
    let (token, other) = (setup.server.token().sign(), setup.server.token().sign());
    let (first, other_first) = (verifier.verify(&token).await.unwrap(), verifier.verify(&other).await.unwrap());
    verifier.invalidate(&token);
    assert!(!same(&first, &verifier.verify(&token).await.unwrap()));
    assert!(same(&other_first, &verifier.verify(&other).await.unwrap()), "others are left alone");
    verifier.invalidate("never seen");
}

#[tokio::test]
async fn what_one_verifier_accepted_means_nothing_to_another() {
    let setup = Setup::new().await;
    let token = setup.server.token().sign();
    let lax: Verifier = setup.jwks.clone().into();
    assert!(is_kept(&lax, &token).await);
    let strict = Verifier::builder(setup.jwks.clone()).audience("https://other.example").build().unwrap();
    assert_eq!(code(&strict, &token).await, "wrong_audience");
    assert_eq!(code(&lax, &token).await, "passed");
}

#[tokio::test]
async fn several_issuers_share_a_cache_and_no_keys() {
    let (one, two) = (Setup::new().await, Setup::new().await);
    let branch = |setup: &Setup| Verifier::builder(setup.jwks.clone()).issuer(setup.server.issuer());
    let verifier = Verifier::any_of([branch(&one), branch(&two).without_token_cache()]).unwrap();
    let (by_one, by_two) = (one.server.token().sign(), two.server.token().sign());
    assert!(is_kept(&verifier, &by_one).await);
    assert!(!is_kept(&verifier, &by_two).await, "this issuer asked for no cache");
    two.server.rotate_and_withdraw();
    two.jwks.refresh().await.unwrap();
    assert!(is_kept(&verifier, &by_one).await, "the other issuer's keys do not matter");
    one.server.rotate_and_withdraw();
    one.jwks.refresh().await.unwrap();
    assert_eq!(code(&verifier, &by_one).await, "unknown_key");
}

#[tokio::test]
async fn refused_tokens_are_not_kept_however_many_come() {
    let setup = Setup::new().await;
    let verifier = Verifier::builder(setup.jwks.clone()).token_cache_tokens(10).build().unwrap();
    let good: Vec<_> = (0..10).map(|n| setup.server.token().subject(n.to_string()).sign()).collect();
    let mut first = Vec::new();
    for token in &good {
        first.push(verifier.verify(token).await.unwrap());
    }
    let kid = first[0].kid().unwrap();
    let forger = SigningKey::generate(Algorithm::RS256, kid);
    for n in 0..200 {
        let forged = TokenBuilder::new(&forger, setup.server.issuer(), setup.clock.now()).subject(n.to_string());
        let expired = setup.server.token().expired_for(Duration::from_secs(600)).sign();
        for bad in [&forged.sign(), &expired, &format!("{}A", good[0]), "nonsense"] {
            assert_ne!(code(&verifier, bad).await, "passed");
            assert_ne!(code(&verifier, bad).await, "passed", "at the second try");
        }
    }
    for (token, first) in good.iter().zip(&first) {
        assert!(same(first, &verifier.verify(token).await.unwrap()));
    }
}

#[tokio::test]
async fn typed_claims_of_a_token_that_comes_again_are_shared() {
    #[derive(serde::Deserialize)]
    struct Typed {
        sub: String,
    }
    #[derive(serde::Deserialize)]
    struct Other {
        client_id: String,
    }
    async fn address(typed: Claims<Typed>) -> String {
        format!("{} {:p}", typed.sub, &raw const *typed)
    }
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone());
    let other = get(|other: Claims<Other>| async move { other.client_id.clone() });
    let app = Router::new().route("/", get(address)).route("/other", other).layer(secure);
    let (token, another) = (setup.server.token().sign(), setup.server.token().sign());
    let mut bodies = Vec::new();
    for _ in 0..3 {
        bodies.push(answer(&app, bearer(&token)).await.body);
    }
    assert!(bodies[0].starts_with("alice "), "{bodies:?}");
    assert_eq!(bodies[1], bodies[2]);
    assert_ne!(answer(&app, bearer(&another)).await.body, bodies[2]);
    let mut request = bearer(&token);
    *request.uri_mut() = "/other".parse().unwrap();
    assert_eq!(answer(&app, request).await.body, "test-client", "another type of the same token");
}

#[tokio::test]
async fn a_limit_of_size_holds_for_tokens_that_are_known() {
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone());
    let token = setup.server.token().sign();
    assert_eq!(answer(&app(secure.clone()), bearer(&token)).await.status, StatusCode::OK);
    let narrow = app(secure.max_token_bytes(token.len() - 1));
    assert_eq!(answer(&narrow, bearer(&token)).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn local_keys_have_a_cache_too() {
    let key = SigningKey::generate(Algorithm::ES256, "k");
    let jwks = JwksService::from_json(&json!({ "keys": [key.public_jwk()] }).to_string()).unwrap();
    let verifier: Verifier = jwks.into();
    let token = TokenBuilder::new(&key, "i", std::time::SystemTime::now()).sign();
    assert!(is_kept(&verifier, &token).await);
}

#[tokio::test]
async fn a_handler_gets_the_same_access_the_second_time() {
    async fn show(access: Access) -> String {
        format!("{:?} {:?} {}", access.token().algorithm(), access.token().kid(), access.has_scope("read"))
    }
    let server = AuthorizationServer::start().await;
    let secure = Secure::new(JwksService::new(&server.jwks_uri()).unwrap());
    let app = Router::new().route("/", get(show)).layer(secure);
    let token = server.token().scope("read").sign();
    let first = answer(&app, bearer(&token)).await.body;
    assert!(first.ends_with(" true"), "{first}");
    assert_eq!(answer(&app, bearer(&token)).await.body, first);
}
