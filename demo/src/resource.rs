//! The resource server: three endpoints, each with its own rules.

use std::net::SocketAddr;

use axum::{Json, Router, routing::get};
use portcullis::{Claims, Dpop, Secure, Verifier};
use serde_json::{Value, json};

/// The guards of the endpoints.
#[derive(Clone)]
pub(crate) struct Guards {
    pub(crate) token: Secure,
    pub(crate) scope: Secure,
    pub(crate) claim: Secure,
}

impl Guards {
    pub(crate) fn new(verifier: Verifier) -> Self {
        let token = Secure::new(verifier).realm("portcullis-demo").dpop(Dpop::allowed());
        let scope = token.clone().scope(["read"]);
        let claim = token.clone().claim("sub").claim_value("myClaim", "someRequiredValue");
        Self { token, scope, claim }
    }
}

pub(crate) fn router(guards: &Guards) -> Router {
    Router::new()
        .route("/secured/token", get(token).post(token))
        .route("/secured/scope", get(scope).post(scope).layer(guards.scope.clone()))
        .route("/secured/claim", get(claim).post(claim).layer(guards.claim.clone()))
        .layer(guards.token.clone())
}

/// The list of endpoints as plain text.
pub(crate) fn index(address: SocketAddr) -> Router {
    Router::new().route("/", get(move || list(address)))
}

async fn token(claims: Claims) -> Json<Value> {
    reached("/secured/token", "any valid token reaches this endpoint", &claims)
}

async fn scope(claims: Claims) -> Json<Value> {
    reached("/secured/scope", "a token with the scope `read` reaches this endpoint", &claims)
}

async fn claim(claims: Claims) -> Json<Value> {
    reached(
        "/secured/claim",
        "a token with `sub`, and with `someRequiredValue` in `myClaim`, reaches this endpoint",
        &claims,
    )
}

fn reached(endpoint: &str, message: &str, claims: &Claims) -> Json<Value> {
    Json(json!({ "endpoint": endpoint, "message": message, "claims": **claims }))
}

async fn list(address: SocketAddr) -> String {
    format!(
        "Portcullis demo: try these with a token in the Authorization field.\n\
         http://{address}/secured/token   any valid token\n\
         http://{address}/secured/scope   the scope `read`\n\
         http://{address}/secured/claim   `sub`, and `myClaim` = `someRequiredValue`\n"
    )
}
