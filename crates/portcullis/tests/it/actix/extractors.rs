//! The extractors of actix-web.

use actix_web::{
    App, Responder,
    web::{self, get},
};
use http::StatusCode;
use portcullis::{Access, AccessRejection, Claims, Granted, InvalidTokenStatus, OptionalClaims, RequiredScope, Secure};

use super::{answer, who};
use crate::support::Setup;

#[derive(serde::Deserialize)]
struct Customer {
    sub: String,
    customer_number: u64,
}

struct Orders;

impl RequiredScope for Orders {
    const SCOPE: &'static [&'static str] = &["orders:read", "orders:list"];
}

async fn typed(claims: Claims<Customer>) -> String {
    format!("{} {}", claims.sub, claims.customer_number)
}

async fn perhaps(OptionalClaims(claims): OptionalClaims<Customer>) -> String {
    claims.map_or("anonymous".to_owned(), |claims| claims.sub.clone())
}

async fn dynamic(claims: Claims) -> String {
    claims.get("customer_number").map(|claim| claim.to_string()).unwrap_or_default()
}

async fn access(access: Access) -> String {
    let token = access.token();
    let scopes = (access.has_scope("read"), access.has_scope("rea"));
    format!("{:?} {:?} {scopes:?}", token.algorithm(), access.claims().subject())
}

async fn orders(access: Granted<Orders>) -> String {
    access.claims().subject().unwrap_or("nobody").to_owned()
}

async fn taken_over(claims: Result<Claims, AccessRejection>) -> impl Responder {
    claims.map_or_else(|rejection| rejection.refusal().code().to_owned(), |_| "passed".to_owned())
}

async fn debugged(claims: Claims, access: Access, optional: OptionalClaims) -> String {
    format!("{claims:?} {access:?} {optional:?} {:?}", access.token())
}

/// Each of the handlers above has a path.
fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/typed", get().to(typed))
        .route("/perhaps", get().to(perhaps))
        .route("/dynamic", get().to(dynamic))
        .route("/access", get().to(access))
        .route("/orders", get().to(orders))
        .route("/who", get().to(who))
        .route("/taken-over", get().to(taken_over))
        .route("/debugged", get().to(debugged));
}

#[tokio::test]
async fn handlers_get_claims_access_and_scope() {
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone());
    let token = setup.server.token().claim("customer_number", 7).scope("read orders:read orders:list");
    let field = format!("Bearer {}", token.sign());
    let table = [
        ("/typed", "alice 7"),
        ("/perhaps", "alice"),
        ("/dynamic", "7"),
        ("/access", r#"Some(RS256) Some("alice") (true, false)"#),
        ("/orders", "alice"),
        ("/who", "alice"),
        ("/taken-over", "passed"),
    ];
    for (path, body) in table {
        let answer = answer!(App::new().wrap(secure.clone()).configure(routes), path, &[("authorization", &field)]);
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, body), "{path}");
    }
    let shown = answer!(App::new().wrap(secure).configure(routes), "/debugged", &[("authorization", &field)]).body;
    assert!(shown.contains("redacted") && !shown.contains("alice"), "{shown}");
}

#[tokio::test]
async fn an_extractor_refuses_as_the_middleware_does() {
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone())
        .realm("r")
        .invalid_token_status(InvalidTokenStatus::Unauthorized)
        .problem_json();
    let field =
        format!("Bearer {}", setup.server.token().claim("customer_number", "seven").scope("orders:read").sign());
    let claims =
        r#"Bearer realm="r", error="invalid_token", error_description="Token is missing some required claims""#;
    let scope = concat!(
        r#"Bearer realm="r", error="insufficient_scope", "#,
        r#"error_description="Token is missing some required scope values", scope="orders:read orders:list""#
    );
    let table = [
        ("/typed", 401, claims, "required_claims"),
        ("/perhaps", 401, claims, "required_claims"),
        ("/orders", 403, scope, "insufficient_scope"),
    ];
    for (path, status, challenge, code) in table {
        let refused = answer!(App::new().wrap(secure.clone()).configure(routes), path, &[("authorization", &field)]);
        assert_eq!((refused.status.as_u16(), refused.challenge()), (status, Some(challenge)), "{path}");
        assert_eq!(refused.headers["content-type"], "application/problem+json");
        assert!(refused.body.contains(code) && !refused.body.contains("seven"), "{}", refused.body);
    }
}

#[tokio::test]
async fn an_extractor_without_middleware_is_our_mistake_and_passes_nobody() {
    let setup = Setup::new().await;
    let field = format!("Bearer {}", setup.server.token().claim("customer_number", 7).sign());
    for path in ["/typed", "/perhaps", "/dynamic", "/access", "/orders", "/who"] {
        let refused = answer!(App::new().configure(routes), path, &[("authorization", &field)]);
        assert_eq!((refused.status.as_u16(), refused.challenge()), (500, None), "{path}");
        assert_eq!(refused.body, "", "{path}");
    }
    assert_eq!(answer!(App::new().configure(routes), "/taken-over", &[]).body, "missing_layer");
}

#[tokio::test]
async fn behind_middleware_that_lets_anybody_pass_each_extractor_asks_for_itself() {
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone()).realm("r");
    for secure in [secure.clone().optional(), secure.report_only()] {
        for path in ["/typed", "/dynamic", "/access", "/orders"] {
            let refused = answer!(App::new().wrap(secure.clone()).configure(routes), path, &[]);
            assert_eq!((refused.status.as_u16(), refused.challenge()), (401, Some(r#"Bearer realm="r""#)), "{path}");
        }
        for path in ["/perhaps", "/who"] {
            let passed = answer!(App::new().wrap(secure.clone()).configure(routes), path, &[]);
            assert_eq!((passed.status.as_u16(), passed.body.as_str()), (200, "anonymous"), "{path}");
        }
    }
}
