//! Odd key sets.

use http::StatusCode;
use portcullis::KeyProblem;
use portcullis_testkit::{Algorithm, SigningKey};
use serde_json::{Value, json};

use crate::support::Setup;

#[tokio::test]
pub(crate) async fn one_bad_key_spoils_nothing_and_its_reason_is_kept() {
    let odd = [
        json!(5),
        json!({}),
        json!({ "kty": "quantum", "kid": "odd" }),
        json!({ "kty": "RSA", "kid": "odd", "n": "AQAB", "e": "AQAB" }),
        json!({ "kty": "EC", "crv": "P-256", "kid": "odd", "x": "AA", "y": "AA" }),
        json!({ "kty": "EC", "crv": "secp256k1", "kid": "odd", "x": "AA", "y": "AA" }),
        json!({ "kty": "OKP", "crv": "X25519", "kid": "odd", "x": "AA" }),
        json!({ "kty": "RSA", "kid": 7 }),
    ];
    let setup = Setup::new().await;
    odd.iter().for_each(|jwk| setup.server.publish_jwk(jwk.clone()));
    assert_eq!(setup.status(&setup.app()).await, StatusCode::OK);
    let status = setup.jwks.status();
    assert_eq!((status.keys.len(), status.skipped.len()), (1, odd.len()));
    assert!(status.skipped.iter().all(|key| !key.problem.to_string().is_empty()));
}

#[tokio::test]
pub(crate) async fn a_set_without_usable_keys_is_an_outage_and_withdraws_the_old_ones() {
    for set in [json!({ "keys": [] }), json!({ "keys": [{ "kty": "quantum" }, 5, null] })] {
        let setup = Setup::new().await;
        setup.server.set_jwks(Some(set.clone()));
        let app = setup.app();
        assert_eq!(setup.status(&app).await, StatusCode::SERVICE_UNAVAILABLE, "{set}");
        assert!(setup.jwks.status().last_error.unwrap().contains("expected a key set with a usable key"));

        let setup = Setup::new().await;
        let app = setup.app();
        assert_eq!(setup.status(&app).await, StatusCode::OK);
        setup.server.set_jwks(Some(set.clone()));
        setup.jwks.refresh().await.unwrap_err();
        assert_eq!(setup.status(&app).await, StatusCode::SERVICE_UNAVAILABLE, "{set}: withdrawn is withdrawn");
        setup.server.set_jwks(None);
        setup.clock.advance(std::time::Duration::from_secs(60));
        assert_eq!(setup.status(&app).await, StatusCode::OK);
    }
}

#[tokio::test]
pub(crate) async fn a_secret_or_a_private_key_in_a_published_set_verifies_nothing() {
    let setup = Setup::new().await;
    let secret = SigningKey::generate(Algorithm::HS256, "secret");
    setup.server.publish_jwk(secret.public_jwk());
    let mut private = setup.server.signing_key().public_jwk();
    private["kid"] = Value::from("private");
    private["d"] = Value::from("AQAB");
    setup.server.publish_jwk(private);
    setup.jwks.prefetch().await.unwrap();
    let skipped: Vec<_> = setup.jwks.status().skipped.into_iter().map(|key| key.problem).collect();
    assert_eq!(skipped, [KeyProblem::Published, KeyProblem::Published]);
}

#[tokio::test]
pub(crate) async fn a_token_without_kid_finds_its_key_among_eight() {
    let setup = Setup::with(|server| server.algorithms([Algorithm::RS256, Algorithm::ES256]), |jwks| jwks).await;
    for _ in 0..3 {
        setup.server.rotate();
    }
    let app = setup.app();
    let token = setup.server.token_with(Algorithm::ES256).without_header("kid").sign();
    assert_eq!(crate::support::answer(&app, crate::support::bearer(&token)).await.status, StatusCode::OK);
    let token = setup.server.token().without_header("kid").sign();
    assert_eq!(crate::support::answer(&app, crate::support::bearer(&token)).await.status, StatusCode::OK);
}

#[tokio::test]
pub(crate) async fn every_algorithm_verifies() {
    let secret = [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
    let algorithms: Vec<_> = Algorithm::ALL.iter().copied().filter(|algorithm| !secret.contains(algorithm)).collect();
    let setup = Setup::with(|server| server.algorithms(algorithms.iter().copied()), |jwks| jwks).await;
    let app = setup.app();
    for &algorithm in &algorithms {
        let token = setup.server.token_with(algorithm).sign();
        let answer = crate::support::answer(&app, crate::support::bearer(&token)).await;
        assert_eq!(answer.status, StatusCode::OK, "{algorithm:?}");
    }
}
