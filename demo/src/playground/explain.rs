//! Explanations: the reason why a token passes or is refused at an endpoint.
//!
//! An explanation is for operators, never for clients; the user of the playground is both.

use std::time::SystemTime;

use axum::{Json, extract::State, http::StatusCode};
use portcullis::{Explanation, Presented, Secure};
use serde::Deserialize;

use super::{Problem, Shared};
use crate::resource::Guards;

/// A request to explain: its endpoint and token.
#[derive(Deserialize)]
pub(super) struct Question {
    endpoint: String,
    /// The `Authorization` field; `None` for a request without it.
    authorization: Option<String>,
}

pub(super) async fn explain(
    State(playground): Shared,
    Json(question): Json<Question>,
) -> Result<Json<Explanation>, Problem> {
    let secure = guard(&playground.guards, &question.endpoint)
        .ok_or_else(|| Problem(StatusCode::UNPROCESSABLE_ENTITY, "expected one of the page's endpoints".to_owned()))?;
    let fields: Vec<_> = question.authorization.iter().map(|value| ("authorization", value.as_bytes())).collect();
    Ok(Json(secure.explain(&Presented::new(&fields), SystemTime::now()).await))
}

fn guard<'a>(guards: &'a Guards, endpoint: &str) -> Option<&'a Secure> {
    match endpoint {
        "/secured/token" => Some(&guards.token),
        "/secured/scope" => Some(&guards.scope),
        "/secured/claim" => Some(&guards.claim),
        _ => None,
    }
}
