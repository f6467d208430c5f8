use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::Shared;
use crate::sync::lock;

/// `POST /rotate`: answers `{"kid": …}` of the new signing key.
pub(super) async fn rotate(State(server): Shared) -> Json<Value> {
    let key = lock(&server.keys).rotate();
    Json(json!({ "kid": key.kid() }))
}
