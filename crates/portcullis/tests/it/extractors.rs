//! The extractors of handlers.

use axum::{Router, routing::get};
use http::StatusCode;
use portcullis::{Access, Claims, InvalidTokenStatus, Secure, Verifier};

use crate::support::{Setup, answer, bearer, request};

#[derive(serde::Deserialize)]
struct Customer {
    sub: String,
    customer_number: u64,
}

async fn typed(claims: Claims<Customer>) -> String {
    format!("{} {}", claims.sub, claims.customer_number)
}

#[tokio::test]
pub(crate) async fn claims_come_as_json_and_as_a_type_of_yours() {
    let setup = Setup::new().await;
    let app = Router::new()
        .route("/", get(typed))
        .route(
            "/dynamic",
            get(|claims: Claims| async move {
                claims.get("customer_number").map(|claim| claim.to_string()).unwrap_or_default()
            }),
        )
        .layer(Secure::new(setup.jwks.clone()));
    let token = setup.server.token().claim("customer_number", 7).sign();
    assert_eq!(answer(&app, bearer(&token)).await.body, "alice 7");
    let mut dynamic = bearer(&token);
    *dynamic.uri_mut() = "/dynamic".parse().unwrap();
    assert_eq!(answer(&app, dynamic).await.body, "7");
}

#[tokio::test]
pub(crate) async fn claims_that_do_not_fit_the_type_are_refused_as_the_layer_would() {
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone())
        .realm("r")
        .invalid_token_status(InvalidTokenStatus::Unauthorized)
        .problem_json();
    let required = Router::new().route("/", get(typed)).layer(secure.clone());
    let optional = Router::new().route("/", get(|_: Option<Claims<Customer>>| async { "passed" })).layer(secure);
    for app in [required, optional] {
        for token in [setup.server.token(), setup.server.token().claim("customer_number", "7")] {
            let refused = answer(&app, bearer(&token.sign())).await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
            let expected =
                r#"Bearer realm="r", error="invalid_token", error_description="Token is missing some required claims""#;
            assert_eq!(refused.challenge(), Some(expected));
            assert!(refused.body.contains("required_claims"));
            assert!(!refused.body.contains("Customer"), "{}", refused.body);
        }
    }
}

#[tokio::test]
async fn the_reason_names_a_claim_that_a_type_lacks_and_no_value() {
    let setup = Setup::new().await;
    let verifier = Verifier::from(setup.jwks.clone());
    for (token, expected) in [
        (setup.server.token(), "`customer_number`, a field of it::extractors::Customer that is missing"),
        (
            setup.server.token().claim("customer_number", "secret"),
            "one of those of it::extractors::Customer, by its type",
        ),
        (setup.server.token().claim("customer_number", "missing field `secret`"), "one of those of"),
    ] {
        let token = verifier.verify(&token.sign()).await.unwrap();
        let reason = token.claims().typed::<Customer>().unwrap_err().to_string();
        assert!(reason.contains(expected) && !reason.contains("secret"), "{reason}");
    }
}

#[tokio::test]
pub(crate) async fn an_extractor_without_a_layer_is_our_mistake_and_passes_nobody() {
    let setup = Setup::new().await;
    let token = setup.server.token().claim("customer_number", 7).sign();
    let apps = [
        Router::new().route("/", get(|_: Claims| async { "passed" })),
        Router::new().route("/", get(|_: Option<Claims>| async { "passed" })),
        Router::new().route("/", get(typed)),
        Router::new().route("/", get(|_: Access| async { "passed" })),
    ];
    for app in apps {
        let refused = answer(&app, bearer(&token)).await;
        assert_eq!(refused.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(refused.challenge(), None);
        assert_eq!(refused.body, "");
    }
}

#[tokio::test]
pub(crate) async fn claims_that_must_be_there_are_refused_behind_an_optional_layer() {
    let setup = Setup::new().await;
    let optional = Secure::new(setup.jwks.clone()).realm("r").optional();
    let apps = [
        Router::new().route("/", get(|_: Claims| async { "passed" })).layer(optional.clone()),
        Router::new().route("/", get(|_: Access| async { "passed" })).layer(optional),
    ];
    for app in apps {
        let refused = answer(&app, request(&[])).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert_eq!(refused.challenge(), Some(r#"Bearer realm="r""#));
    }
}

#[tokio::test]
pub(crate) async fn access_tells_of_the_token() {
    let setup = Setup::new().await;
    let kid = setup.server.signing_key().kid().to_owned();
    let handler = |access: Access| async move {
        let token = access.token();
        let scopes = (access.has_scope("read"), access.has_scope("rea"));
        format!("{:?} {:?} {:?} {scopes:?}", token.algorithm(), token.kid(), access.claims().subject())
    };
    let app = Router::new().route("/", get(handler)).layer(Secure::new(setup.jwks.clone()));
    let answer = answer(&app, bearer(&setup.server.token().scope("read").sign())).await;
    assert_eq!(answer.body, format!("Some(RS256) Some({kid:?}) Some(\"alice\") (true, false)"));
}

#[tokio::test]
pub(crate) async fn claims_and_access_stay_out_of_debug_output() {
    let setup = Setup::new().await;
    let handler = |claims: Claims, access: Access| async move { format!("{claims:?} {access:?} {:?}", access.token()) };
    let app = Router::new().route("/", get(handler)).layer(Secure::new(setup.jwks.clone()));
    let body = answer(&app, bearer(&setup.server.token().sign())).await.body;
    assert!(body.contains("redacted") && !body.contains("alice"), "{body}");
}
