use axum::Json;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::client::authenticate;
use super::dpop;
use super::error::OAuthError;
use super::exchange;
use super::parameters::Parameters;
use super::{Server, Shared};
use crate::clock::numeric_date;
use crate::encoding::sha256_base64url;
use crate::server::transport::ClientCertificate;
use crate::sync::lock;
use crate::token::TokenBuilder;

/// The time between `iat` and `exp` of a token that is expired at its issue, in seconds.
const EXPIRED_LIFETIME: i64 = 300;

/// `POST /token`: the client credentials grant (RFC 6749 section 4.4), and token exchange (RFC 8693).
pub(super) async fn issue(State(server): Shared, request: Parts, parameters: Parameters) -> Response {
    let answer = grant(&server, &request, &parameters);
    let mut response = answer.map(|answer| ([(CACHE_CONTROL, "no-store")], Json(answer))).into_response();
    let nonce = lock(&server.dpop_nonce).as_deref().and_then(|nonce| HeaderValue::from_str(nonce).ok());
    if let Some(nonce) = nonce {
        response.headers_mut().insert("dpop-nonce", nonce);
    }
    response
}

fn grant(server: &Server, request: &Parts, parameters: &Parameters) -> Result<Map<String, Value>, OAuthError> {
    let client = authenticate(server, &request.headers, parameters)?;
    match parameters.one("grant_type")? {
        Some("client_credentials") => {}
        Some(exchange::GRANT) => return exchange::exchange(server, &client, parameters),
        Some(_) => return Err(OAuthError::UnsupportedGrantType),
        None => return Err(OAuthError::InvalidRequest("grant_type is missing")),
    }
    let key = dpop::prove(server, &request.headers, &server.url("/token"))?;
    let token_type = if key.is_some() { "DPoP" } else { "Bearer" };
    let token = bound(requested(server, &client, parameters)?, key, request.extensions.get());
    let mut answer = Map::new();
    answer.insert("token_type".into(), token_type.into());
    answer.insert("expires_in".into(), lifetime(server, &token).into());
    if let Some(scope) = token.claims().get("scope") {
        answer.insert("scope".into(), scope.clone());
    }
    let access_token = match parameters.one("token_format")? {
        Some("opaque") => server.issue_opaque(token.claims().clone()),
        None | Some("jwt") => token.sign(),
        Some(_) => return Err(OAuthError::InvalidRequest("expected jwt or opaque as token_format")),
    };
    answer.insert("access_token".into(), access_token.into());
    Ok(answer)
}

/// Binds the token to the key of the request's proof and to the client's certificate.
fn bound(token: TokenBuilder, key: Option<String>, certificate: Option<&ClientCertificate>) -> TokenBuilder {
    let token = match key {
        Some(thumbprint) => token.bound_to_key(thumbprint),
        None => token,
    };
    match certificate {
        Some(ClientCertificate(der)) => token.bound_to_certificate(sha256_base64url(der)),
        None => token,
    }
}

fn requested(server: &Server, client: &str, parameters: &Parameters) -> Result<TokenBuilder, OAuthError> {
    let mut token = server.token().subject(client).claim("client_id", client);
    if let Some(scope) = parameters.one("scope")? {
        token = token.scope(checked_scope(scope)?);
    }
    if let Some(audience) = audience(parameters) {
        token = token.audience(audience);
    }
    if let Some(text) = parameters.one("expires_in")? {
        token = expiring(token, numeric_date(server.now()), seconds(text)?);
    }
    match parameters.one("claims")? {
        Some(claims) => Ok(token.merge(claims_object(claims)?)),
        None => Ok(token),
    }
}

/// Checks the characters that RFC 6749 section 3.3 allows.
pub(super) fn checked_scope(scope: &str) -> Result<&str, OAuthError> {
    let allowed = |b: u8| matches!(b, b' ' | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    let fine = scope.bytes().all(allowed);
    fine.then_some(scope).ok_or(OAuthError::InvalidScope)
}

/// The values of `audience` and `resource` (RFC 8707): one string, or a list of several.
pub(super) fn audience(parameters: &Parameters) -> Option<Value> {
    let mut values = parameters.all("audience");
    values.extend(parameters.all("resource"));
    match values.as_slice() {
        [] => None,
        [one] => Some((*one).into()),
        many => Some(many.into()),
    }
}

/// Sets `exp`; `iat` of an expired token is moved before it.
fn expiring(token: TokenBuilder, now: i64, seconds: i64) -> TokenBuilder {
    let exp = now.saturating_add(seconds);
    let token = token.claim("exp", exp);
    if seconds < 0 { token.claim("iat", exp.saturating_sub(EXPIRED_LIFETIME)) } else { token }
}

fn seconds(text: &str) -> Result<i64, OAuthError> {
    let expected = "expected a number of seconds as expires_in, such as 300, or -60 for an expired token";
    text.parse().map_err(|_| OAuthError::InvalidRequest(expected))
}

fn claims_object(text: &str) -> Result<Map<String, Value>, OAuthError> {
    serde_json::from_str(text).map_err(|_| OAuthError::InvalidRequest("expected a JSON object as claims"))
}

pub(super) fn lifetime(server: &Server, token: &TokenBuilder) -> i64 {
    let exp = token.claims().get("exp").and_then(Value::as_i64);
    let left = exp.map_or(0, |exp| exp.saturating_sub(numeric_date(server.now())));
    left.max(0)
}
