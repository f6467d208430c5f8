use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::Shared;
use crate::attack::attacker;

/// The attacker's key with the real key's id, for a hostile `jku`.
pub(super) async fn jwks(State(server): Shared) -> Json<Value> {
    Json(json!({ "keys": [attacker::jwk_posing_as(&server.signer())] }))
}

/// The attacker's certificate, for a hostile `x5u`.
pub(super) async fn certificate(State(server): Shared) -> impl IntoResponse {
    let pem = attacker::certificate_pem(server.signer().algorithm());
    ([(CONTENT_TYPE, "application/pem-certificate-chain")], pem)
}
