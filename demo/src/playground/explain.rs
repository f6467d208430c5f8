//! Why a token passes or is refused at an endpoint.
//!
//! An explanation is for operators, never for clients: here whoever asks is both.

use std::time::SystemTime;

use axum::{Json, extract::State, http::StatusCode};
use portcullis::{Explanation, Presented, Secure};
use serde::Deserialize;

use super::{Problem, Shared};
use crate::resource::Guards;

/// What was sent, and where to.
#[derive(Deserialize)]
pub(super) struct Question {
    endpoint: String,
    /// The `Authorization` field; none if there was none.
    authorization: Option<String>,
}

pub(super) async fn explain(
    State(playground): Shared,
    Json(question): Json<Question>,
) -> Result<Json<Explanation>, Problem> {
    let secure = guard(&playground.guards, &question.endpoint)
        .ok_or_else(|| Problem(StatusCode::UNPROCESSABLE_ENTITY, "there is no such endpoint".to_owned()))?;
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
