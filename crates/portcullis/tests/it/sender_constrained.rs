//! Tokens that are bound to their sender's key are no bearer tokens: a stolen one does not pass.

use portcullis::{CheckKind, Outcome, Secure, Verifier};
use portcullis_testkit::TokenBuilder;
use serde_json::{Value, json};

use crate::support::{Setup, answer, app, bearer, request};

const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

fn bound(setup: &Setup, cnf: Value) -> TokenBuilder {
    setup.server.token().claim("cnf", cnf)
}

#[tokio::test]
async fn a_token_with_a_confirmation_is_refused_whatever_stands_in_it() {
    let setup = Setup::new().await;
    let app = app(Secure::new(setup.jwks.clone()).problem_json());
    let table = [
        (json!({ "jkt": THUMBPRINT }), 401, "sender_constrained_token"),
        (json!({ "x5t#S256": THUMBPRINT }), 401, "sender_constrained_token"),
        (json!({ "jkt": THUMBPRINT, "x5t#S256": THUMBPRINT }), 401, "sender_constrained_token"),
        (json!({ "jkt": THUMBPRINT, "kid": "k" }), 401, "sender_constrained_token"),
        (json!({ "kid": "k" }), 401, "unsupported_confirmation"),
        (json!({ "jwk": { "kty": "OKP" } }), 401, "unsupported_confirmation"),
        (json!({ "x5t": THUMBPRINT }), 401, "unsupported_confirmation"),
        (json!({ "JKT": THUMBPRINT }), 401, "unsupported_confirmation"),
        (json!({ "jkt": null }), 403, "malformed_claim"),
        (json!({ "jkt": "" }), 403, "malformed_claim"),
        (json!({ "jkt": "x" }), 403, "malformed_claim"),
        (json!({ "jkt": format!("{THUMBPRINT}=") }), 403, "malformed_claim"),
        (json!({ "jkt": [THUMBPRINT] }), 403, "malformed_claim"),
        (json!({ "jkt": THUMBPRINT, "x5t#S256": 5 }), 403, "malformed_claim"),
        (json!({}), 403, "malformed_claim"),
        (json!(null), 403, "malformed_claim"),
        (json!([]), 403, "malformed_claim"),
        (json!([{ "jkt": THUMBPRINT }]), 403, "malformed_claim"),
        (json!(THUMBPRINT), 403, "malformed_claim"),
        (json!(false), 403, "malformed_claim"),
    ];
    for (cnf, status, code) in table {
        let token = bound(&setup, cnf.clone()).sign();
        // Twice: the first attempt changes nothing.
        for _ in 0..2 {
            let refused = answer(&app, bearer(&token)).await;
            assert_eq!(refused.status.as_u16(), status, "{cnf}");
            assert!(refused.body.contains(&format!("\"code\":\"{code}\"")), "{cnf}: {}", refused.body);
            assert!(refused.challenge().unwrap().starts_with("Bearer error=\"invalid_token\""), "{cnf}");
            assert!(!refused.body.contains(THUMBPRINT) && !refused.challenge().unwrap().contains(THUMBPRINT));
        }
    }
}

#[tokio::test]
async fn an_optional_layer_is_no_way_round() {
    let setup = Setup::new().await;
    let token = bound(&setup, json!({ "jkt": THUMBPRINT })).sign();
    let app = app(Secure::new(setup.jwks.clone()).optional());
    assert_eq!(answer(&app, bearer(&token)).await.status, 401);
}

#[tokio::test]
async fn the_scheme_dpop_is_another_than_bearer() {
    let setup = Setup::new().await;
    let app = app(Secure::new(setup.jwks.clone()).problem_json());
    for token in [bound(&setup, json!({ "jkt": THUMBPRINT })).sign(), setup.server.token().sign()] {
        let refused = answer(&app, request(&[("authorization", &format!("DPoP {token}")), ("dpop", "a.b.c")])).await;
        assert_eq!(refused.status, 401);
        assert!(refused.body.contains("other_scheme"), "{}", refused.body);
    }
}

#[tokio::test]
async fn only_who_says_that_it_is_dangerous_accepts_it_without_a_proof() {
    let setup = Setup::new().await;
    let builder = || Verifier::builder(setup.jwks.clone()).issuer(setup.server.issuer());
    let strict = builder().build().unwrap();
    let lax = builder().dangerously_accept_sender_constrained_tokens().build().unwrap();
    for cnf in [json!({ "jkt": THUMBPRINT }), json!({ "kid": "k" }), json!(null)] {
        let token = bound(&setup, cnf).sign();
        assert!(lax.verify(&token).await.is_ok());
        assert!(strict.verify(&token).await.is_err(), "the verdict of one verifier is not that of another");
    }
    let expired = bound(&setup, json!({ "jkt": THUMBPRINT })).expired_for(std::time::Duration::from_secs(60)).sign();
    assert_eq!(lax.verify(&expired).await.unwrap_err().code(), "expired");
}

#[tokio::test]
async fn explain_has_a_row_for_it() {
    let setup = Setup::new().await;
    let verifier = Verifier::builder(setup.jwks.clone()).issuer(setup.server.issuer()).build().unwrap();
    let row = async |token: TokenBuilder| {
        let explanation = verifier.explain(&token.sign(), setup.clock.now()).await;
        explanation.checks.into_iter().find(|check| check.kind == CheckKind::Possession).unwrap()
    };
    let bound = row(bound(&setup, json!({ "jkt": THUMBPRINT }))).await;
    assert_eq!(bound.code(), Some("sender_constrained_token"));
    assert!(bound.hint.unwrap().contains("DPoP"));
    assert!(matches!(row(setup.server.token()).await.outcome, Outcome::NotAsked));
    let lax = Verifier::builder(setup.jwks.clone()).dangerously_accept_sender_constrained_tokens().build().unwrap();
    let token = setup.server.token().claim("cnf", json!({ "jkt": THUMBPRINT })).sign();
    assert_eq!(lax.explain(&token, setup.clock.now()).await.refusal().map(|refusal| refusal.code()), None);
}
