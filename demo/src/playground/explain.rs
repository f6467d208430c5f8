//! Explanations: the reason why a token passes or is refused at an endpoint.
//!
//! An explanation is for operators, never for clients; the user of the playground is both.

use std::time::SystemTime;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header::HOST},
};
use portcullis::{Explanation, Presented, Secure};
use serde::Deserialize;

use super::{Problem, Shared};
use crate::resource::Guards;

/// A request to explain: its line, its token and its DPoP proof.
#[derive(Deserialize)]
pub(super) struct Question {
    method: String,
    endpoint: String,
    /// The `Authorization` field; `None` for a request without it.
    authorization: Option<String>,
    /// The `DPoP` field.
    proof: Option<String>,
}

pub(super) async fn explain(
    State(playground): Shared,
    headers: HeaderMap,
    Json(question): Json<Question>,
) -> Result<Json<Explanation>, Problem> {
    let secure = guard(&playground.guards, &question.endpoint)
        .ok_or_else(|| Problem(StatusCode::UNPROCESSABLE_ENTITY, "expected one of the page's endpoints".to_owned()))?;
    let authorization = question.authorization.iter().map(|value| ("authorization", value.as_bytes()));
    let proof = question.proof.iter().map(|value| ("dpop", value.as_bytes()));
    // The request to explain goes to the same host as this one.
    let host = headers.get(HOST).map(|host| ("host", host.as_bytes()));
    let fields: Vec<_> = authorization.chain(proof).chain(host).collect();
    let presented = Presented::new(&fields).request(&question.method, &question.endpoint);
    Ok(Json(secure.explain(&presented, SystemTime::now()).await))
}

fn guard<'a>(guards: &'a Guards, endpoint: &str) -> Option<&'a Secure> {
    match endpoint {
        "/secured/token" => Some(&guards.token),
        "/secured/scope" => Some(&guards.scope),
        "/secured/claim" => Some(&guards.claim),
        _ => None,
    }
}
