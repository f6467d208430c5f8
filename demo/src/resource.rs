//! The resource server: three endpoints, each guarded in its own way.

use std::net::SocketAddr;

use axum::{Json, Router, routing::get};
use portcullis::{Claims, Secure, Verifier};
use serde_json::{Value, json};

pub(crate) fn router(verifier: Verifier, address: SocketAddr) -> Router {
    let secure = Secure::new(verifier).realm("portcullis-demo");
    let claim = secure.clone().claim("sub").claim_value("myClaim", "someRequiredValue");
    Router::new()
        .route("/secured/token", get(token))
        .route("/secured/scope", get(scope).layer(secure.clone().scope(["read"])))
        .route("/secured/claim", get(self::claim).layer(claim))
        .layer(secure)
        .route("/", get(move || index(address)))
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

async fn index(address: SocketAddr) -> String {
    format!(
        "Portcullis demo: try these with a token in the Authorization field.\n\
         http://{address}/secured/token   any valid token\n\
         http://{address}/secured/scope   the scope `read`\n\
         http://{address}/secured/claim   `sub`, and `myClaim` = `someRequiredValue`\n"
    )
}
