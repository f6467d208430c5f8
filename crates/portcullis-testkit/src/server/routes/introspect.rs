use axum::Json;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::client::authenticate;
use super::error::OAuthError;
use super::parameters::Parameters;
use super::{Server, Shared};
use crate::clock::numeric_date;

const SIGNED_ANSWER: &str = "application/token-introspection+jwt";
const PHANTOM: &str = "application/jwt";

/// `POST /introspect` (RFC 7662), in the form that `Accept` names.
pub(super) async fn introspect(
    State(server): Shared,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, OAuthError> {
    let client = authenticate(&server, &headers, &parameters)?;
    let token = parameters.one("token")?;
    let token = token.ok_or(OAuthError::InvalidRequest("token is missing"))?;
    let claims = server.introspect(token);
    Ok(if accepts(&headers, SIGNED_ANSWER) {
        signed(&server, &client, claims)
    } else if accepts(&headers, PHANTOM) {
        phantom(&server, claims)
    } else {
        Json(answer(claims)).into_response()
    })
}

fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let fields = headers.get_all(ACCEPT).into_iter();
    let mut ranges = fields
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim());
    ranges.any(|range| range.eq_ignore_ascii_case(media_type))
}

/// The answer of RFC 7662 section 2.2, without details of an inactive token.
fn answer(claims: Option<Map<String, Value>>) -> Value {
    let Some(claims) = claims else {
        return json!({ "active": false });
    };
    // RFC 9449 section 6.2
    let is_bound = claims.get("cnf").is_some_and(|cnf| cnf.get("jkt").is_some());
    let mut answer = json!({ "token_type": if is_bound { "DPoP" } else { "Bearer" } });
    if let Some(members) = answer.as_object_mut() {
        members.extend(claims);
        members.insert("active".into(), true.into());
    }
    answer
}

/// The answer as a signed JWT (RFC 9701 section 5).
fn signed(server: &Server, client: &str, claims: Option<Map<String, Value>>) -> Response {
    let payload = json!({
        "iss": server.issuer,
        "aud": client,
        "iat": numeric_date(server.now()),
        "token_introspection": answer(claims),
    });
    let token = server.token().typ("token-introspection+jwt").claims_json(&payload.to_string());
    ([(CONTENT_TYPE, SIGNED_ANSWER)], token.sign()).into_response()
}

/// The JWT access token with the claims of an active token, else 204.
fn phantom(server: &Server, claims: Option<Map<String, Value>>) -> Response {
    let Some(claims) = claims else {
        return StatusCode::NO_CONTENT.into_response();
    };
    let payload = Value::Object(claims).to_string();
    let token = server.token().claims_json(&payload).sign();
    ([(CONTENT_TYPE, PHANTOM)], token).into_response()
}
