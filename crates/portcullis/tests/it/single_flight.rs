//! The number of fetches that a burst of requests causes.

use std::time::Duration;

use http::StatusCode;
use portcullis_testkit::{Endpoint, Fault, SigningKey, TokenBuilder};

use crate::support::{Setup, answer, bearer};

fn forged(setup: &Setup, key: &SigningKey, kid: usize) -> String {
    TokenBuilder::new(key, setup.server.issuer(), setup.clock.now()).kid(format!("forged-{kid}")).sign()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
pub(crate) async fn two_hundred_first_requests_make_one_fetch() {
    let setup = Setup::new().await;
    setup.server.fault(Endpoint::Jwks, Fault::Delay(Duration::from_millis(50)));
    let app = setup.app();
    let requests = (0..200).map(|_| {
        let (app, token) = (app.clone(), setup.server.token().sign());
        tokio::spawn(async move { answer(&app, bearer(&token)).await.status })
    });
    for request in requests.collect::<Vec<_>>() {
        assert_eq!(request.await.unwrap(), StatusCode::OK);
    }
    assert_eq!(setup.server.requests(Endpoint::Jwks), 1);
}

#[tokio::test]
pub(crate) async fn a_thousand_forged_kids_make_six_fetches_and_good_tokens_pass_meanwhile() {
    let setup = Setup::new().await;
    let app = setup.app();
    let attacker = portcullis_testkit::SigningKey::generate(portcullis_testkit::Algorithm::RS256, "own");
    for kid in 0..1000 {
        let refused = answer(&app, bearer(&forged(&setup, &attacker, kid))).await;
        // Six are known to be missing. The others may be new.
        let expected = if kid < 6 { StatusCode::FORBIDDEN } else { StatusCode::SERVICE_UNAVAILABLE };
        assert_eq!(refused.status, expected, "{kid}");
        assert_eq!(refused.headers.contains_key("retry-after"), kid >= 6);
        if kid % 100 == 0 {
            assert_eq!(setup.status(&app).await, StatusCode::OK);
        }
    }
    assert_eq!(setup.server.requests(Endpoint::Jwks), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
pub(crate) async fn a_thousand_forged_kids_at_once_make_six_fetches_at_most() {
    let setup = Setup::new().await;
    let app = setup.app();
    let attacker = portcullis_testkit::SigningKey::generate(portcullis_testkit::Algorithm::ES256, "own");
    let requests = (0..1000).map(|kid| {
        let (app, token) = (app.clone(), forged(&setup, &attacker, kid));
        tokio::spawn(async move { answer(&app, bearer(&token)).await.status })
    });
    for request in requests.collect::<Vec<_>>() {
        let status = request.await.unwrap();
        assert!(status == StatusCode::FORBIDDEN || status == StatusCode::SERVICE_UNAVAILABLE, "{status}");
    }
    assert!(setup.server.requests(Endpoint::Jwks) <= 6);
}

#[tokio::test]
pub(crate) async fn forged_kids_do_not_hold_back_a_rotation() {
    let setup = Setup::new().await;
    let app = setup.app();
    let attacker = portcullis_testkit::SigningKey::generate(portcullis_testkit::Algorithm::ES256, "own");
    for kid in 0..10 {
        answer(&app, bearer(&forged(&setup, &attacker, kid))).await;
    }
    setup.server.rotate_and_withdraw();
    let new = answer(&app, bearer(&setup.server.token().sign())).await;
    assert_eq!(new.status, StatusCode::SERVICE_UNAVAILABLE, "the bucket is empty, and the token was not judged");
    assert_eq!((new.headers["retry-after"].to_str().unwrap(), new.challenge()), ("10", None));
    let refusal =
        portcullis::Verifier::from(setup.jwks.clone()).verify(&setup.server.token().sign()).await.unwrap_err();
    assert_eq!(refusal.code(), "keys_unavailable");
    assert!(refusal.to_string().contains("unknown ids have used up the fetches"), "{refusal}");
    setup.clock.advance(Duration::from_secs(10));
    assert_eq!(setup.status(&app).await, StatusCode::OK, "one fetch each ten seconds");
    for kid in 10..20 {
        answer(&app, bearer(&forged(&setup, &attacker, kid))).await;
    }
    setup.server.rotate_and_withdraw();
    setup.clock.advance(Duration::from_secs(270));
    assert_eq!(setup.status(&app).await, StatusCode::OK, "the refresh that is due is not charged");
}

#[tokio::test]
pub(crate) async fn a_client_that_goes_away_cancels_nothing_for_others() {
    let setup = Setup::new().await;
    setup.server.fault(Endpoint::Jwks, Fault::Hang);
    let app = setup.app();
    let token = setup.server.token().sign();
    let first = tokio::spawn({
        let (app, token) = (app.clone(), token.clone());
        async move { answer(&app, bearer(&token)).await.status }
    });
    setup.server.wait_for_requests(Endpoint::Jwks, 1).await;
    let second = tokio::spawn(async move { answer(&app, bearer(&token)).await.status });
    tokio::task::yield_now().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    setup.server.heal(Endpoint::Jwks);
    assert_eq!(second.await.unwrap(), StatusCode::OK);
    assert_eq!(setup.server.requests(Endpoint::Jwks), 1);
}

#[tokio::test]
pub(crate) async fn a_fetch_that_began_before_the_rotation_is_not_the_last_word() {
    let setup = Setup::new().await;
    let app = setup.app();
    assert_eq!(setup.status(&app).await, StatusCode::OK);
    // A fetch is under way, with an answer from before the rotation.
    setup.server.fault_once(
        Endpoint::Jwks,
        Fault::Body {
            content_type: "application/json".into(),
            body: serde_json::json!({ "keys": [setup.server.signing_key().public_jwk()] }).to_string(),
        },
    );
    let refresh = tokio::spawn({
        let jwks = setup.jwks.clone();
        async move { jwks.refresh().await }
    });
    tokio::task::yield_now().await;
    setup.server.rotate();
    assert_eq!(setup.status(&app).await, StatusCode::OK);
    refresh.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_key_that_was_looked_for_or_withdrawn_is_unknown_though_the_bucket_is_empty() {
    let setup = Setup::new().await;
    let app = setup.app();
    let old = setup.server.token().sign();
    assert_eq!(answer(&app, bearer(&old)).await.status, StatusCode::OK);
    setup.server.rotate_and_withdraw();
    assert_eq!(setup.status(&app).await, StatusCode::OK);
    let attacker = portcullis_testkit::SigningKey::generate(portcullis_testkit::Algorithm::ES256, "own");
    for kid in 0..10 {
        answer(&app, bearer(&forged(&setup, &attacker, kid))).await;
    }
    let status = async |token: &str| answer(&app, bearer(token)).await.status;
    assert_eq!(status(&old).await, StatusCode::FORBIDDEN, "withdrawn: a new token is needed");
    assert_eq!(status(&forged(&setup, &attacker, 0)).await, StatusCode::FORBIDDEN, "looked for just now");
    setup.clock.advance(Duration::from_secs(2));
    assert_eq!(status(&forged(&setup, &attacker, 0)).await, StatusCode::SERVICE_UNAVAILABLE, "it may be there by now");
}
