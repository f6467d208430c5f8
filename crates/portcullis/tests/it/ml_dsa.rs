//! ML-DSA (RFC 9964) at the axum door: long tokens, and keys of several parameter sets together.

use http::StatusCode;
use portcullis::{Algorithm, CheckKind, Secure, Verifier};
use portcullis_testkit::{Algorithm as Signing, SigningKey};
use serde_json::{Value, json};

use crate::support::{Setup, answer, app, bearer};

const SETS: [Signing; 3] = [Signing::MlDsa44, Signing::MlDsa65, Signing::MlDsa87];

async fn setup() -> Setup {
    Setup::with(|server| server.algorithms(SETS.into_iter().chain([Signing::ES256])), |jwks| jwks).await
}

/// The signature of another key of this parameter set.
fn signature_of_another_key(token: &str, set: Signing) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let (input, _) = token.rsplit_once('.').unwrap();
    URL_SAFE_NO_PAD.encode(SigningKey::generate(set, "k").sign(input.as_bytes()))
}

/// The token with another signature.
fn resigned(token: &str, signature: &str) -> String {
    let (input, _) = token.rsplit_once('.').unwrap();
    format!("{input}.{signature}")
}

#[tokio::test]
async fn a_long_token_passes_within_the_default_limit_and_is_refused_beyond_it() {
    let setup = setup().await;
    let app = setup.app();
    for set in SETS {
        let token = setup.server.token_with(set).claim("padding", "x".repeat(6_000)).sign();
        assert_eq!(answer(&app, bearer(&token)).await.status, StatusCode::OK, "{set}, {} bytes", token.len());
        let token = setup.server.token_with(set).claim("padding", "x".repeat(12_000)).sign();
        assert_eq!(answer(&app, bearer(&token)).await.status, StatusCode::FORBIDDEN, "{set}, {} bytes", token.len());
    }
}

#[tokio::test]
async fn a_key_of_one_parameter_set_opens_no_token_of_another() {
    let setup = setup().await;
    let verifier = Verifier::from(setup.jwks.clone());
    for set in SETS {
        let good = setup.server.token_with(set);
        let token = good.clone().sign();
        let signature = token.rsplit_once('.').unwrap().1;
        // Fewer characters, of whole bytes.
        let whole = (signature.len() - 1) / 4 * 4;
        let others = SETS.into_iter().filter(|other| *other != set);
        let mut forged = vec![
            (resigned(&token, ""), "bad_signature"),
            (resigned(&token, &signature[..whole]), "bad_signature"),
            (resigned(&token, &signature[..84]), "bad_signature"),
            (resigned(&token, &"A".repeat(signature.len())), "bad_signature"),
            (resigned(&token, &format!("{}{signature}", &signature[..whole])), "bad_signature"),
            (resigned(&token, &signature_of_another_key(&token, set)), "bad_signature"),
            (good.clone().header("alg", "ES256").sign(), "key_mismatch"),
            (good.clone().header("alg", "ML-DSA").sign(), "algorithm_not_allowed"),
            (good.clone().header("alg", "ml-dsa-65").sign(), "algorithm_not_allowed"),
        ];
        for other in others {
            forged.push((good.clone().header("alg", other.name()).sign(), "key_mismatch"));
            let by_the_other = setup.server.token_with(other).sign();
            forged.push((resigned(&token, by_the_other.rsplit_once('.').unwrap().1), "bad_signature"));
        }
        verifier.verify(&token).await.unwrap();
        for (token, expected) in forged {
            assert_eq!(verifier.verify(&token).await.map(drop).unwrap_err().code(), expected, "{set}");
        }
    }
}

#[tokio::test]
async fn a_verifier_may_allow_one_parameter_set_alone() {
    let setup = setup().await;
    let verifier = Verifier::builder(setup.jwks.clone()).algorithms([Algorithm::MlDsa65]).build().unwrap();
    let app = app(Secure::new(verifier.clone()));
    assert_eq!(answer(&app, bearer(&setup.server.token_with(Signing::MlDsa65).sign())).await.status, StatusCode::OK);
    for other in [Signing::MlDsa44, Signing::MlDsa87, Signing::ES256] {
        let refusal = verifier.verify(&setup.server.token_with(other).sign()).await.map(drop).unwrap_err();
        assert_eq!(refusal.code(), "algorithm_not_allowed", "{other}");
    }
}

#[tokio::test]
async fn a_published_key_without_its_algorithm_or_with_its_seed_is_not_used_and_the_reason_is_told() {
    for (change, reason) in [
        (json!({ "alg": null }), "`alg` to be present"),
        (json!({ "alg": "ML-DSA-87" }), "`pub` to be 2592 bytes long, got 1952"),
        (json!({ "priv": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }), "published key set"),
    ] {
        let setup = Setup::with(|server| server.algorithm(Signing::MlDsa65), |jwks| jwks).await;
        let Value::Object(mut jwk) = setup.server.signing_key().public_jwk() else { panic!("a JWK is an object") };
        let Value::Object(change) = change else { panic!("a change is an object") };
        jwk.extend(change);
        setup.server.set_jwks(Some(json!({ "keys": [jwk] })));
        let service = &setup.jwks;
        let _ = service.refresh().await;
        let skipped = service.status().skipped;
        assert!(skipped[0].problem.to_string().contains(reason), "{reason}: {}", skipped[0].problem);
    }
}

#[tokio::test]
async fn the_explanation_knows_the_length_of_a_signature() {
    let setup = setup().await;
    let verifier = Verifier::from(setup.jwks.clone());
    let token = setup.server.token_with(Signing::MlDsa65).sign();
    let cut = &token[..token.len() - 4];
    let explanation = verifier.explain(cut, setup.clock.now()).await;
    let failed = explanation.first_failure().unwrap();
    assert_eq!(failed.kind, CheckKind::Signature);
    let text = serde_json::to_string(&explanation).unwrap();
    assert!(text.contains("a signature by ML-DSA-65 has 3309 bytes, this one 3306"), "{text}");
}
