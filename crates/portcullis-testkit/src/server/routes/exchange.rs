//! The token exchange grant (RFC 8693).

use std::time::Duration;

use serde_json::{Map, Value};

use super::Server;
use super::error::OAuthError;
use super::parameters::Parameters;
use super::token::{audience, checked_scope, lifetime};
use crate::key::SigningKey;
use crate::server::exchange::ExchangeFault;
use crate::sync::lock;
use crate::token::TokenBuilder;

pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// Exchanges an active token of this server for one with another audience, which expires with it.
pub(super) fn exchange(
    server: &Server,
    client: &str,
    parameters: &Parameters,
) -> Result<Map<String, Value>, OAuthError> {
    let fault = *lock(&server.exchange_fault);
    let subject_token =
        parameters.one("subject_token")?.ok_or(OAuthError::InvalidRequest("subject_token is missing"))?;
    if parameters.one("subject_token_type")? != Some(ACCESS_TOKEN) {
        return Err(OAuthError::InvalidRequest("expected an access token as subject_token_type"));
    }
    let issued_type = match parameters.one("requested_token_type")? {
        None | Some(ACCESS_TOKEN) => ACCESS_TOKEN,
        Some(JWT) => JWT,
        Some(_) => return Err(OAuthError::InvalidRequest("expected an access token or a JWT as requested_token_type")),
    };
    let subject = server.introspect(subject_token).ok_or(OAuthError::InvalidGrant)?;
    if let Some(ExchangeFault::Refused(code)) = fault {
        return Err(OAuthError::Configured(code));
    }
    let token = token(server, client, parameters, subject)?;
    let expires_in = lifetime(server, &token);
    let access_token = match fault {
        Some(ExchangeFault::Opaque) => server.issue_opaque(token.claims().clone()),
        Some(ExchangeFault::Echo) => subject_token.to_owned(),
        Some(ExchangeFault::Text(text)) => text.to_owned(),
        Some(ExchangeFault::Unsigned) => unsigned(token),
        Some(fault) => faulty(token, fault).sign(),
        None => token.sign(),
    };
    let (issued_type, token_type) = match fault {
        Some(ExchangeFault::IssuedTokenType(other)) => (other, "Bearer"),
        Some(ExchangeFault::TokenType(other)) => (issued_type, other),
        _ => (issued_type, "Bearer"),
    };
    let members =
        [("access_token", access_token.as_str()), ("issued_token_type", issued_type), ("token_type", token_type)];
    let mut answer: Map<String, Value> = members
        .iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| ((*name).into(), (*text).into()))
        .collect();
    if fault != Some(ExchangeFault::Endless) {
        let later = if fault == Some(ExchangeFault::LongerLived) { 3600 } else { 0 };
        answer.insert("expires_in".into(), (expires_in + later).into());
    }
    Ok(answer)
}

fn token(
    server: &Server,
    client: &str,
    parameters: &Parameters,
    subject: Map<String, Value>,
) -> Result<TokenBuilder, OAuthError> {
    let audience = audience(parameters).ok_or(OAuthError::InvalidRequest("expected audience or resource"))?;
    let mut token = server.token().merge(subject).audience(audience).claim("client_id", client).without_claim("cnf");
    token = token.claim("act", serde_json::json!({ "sub": client }));
    match parameters.one("scope")? {
        Some(scope) => Ok(token.scope(checked_scope(scope)?)),
        None => Ok(token),
    }
}

fn faulty(token: TokenBuilder, fault: ExchangeFault) -> TokenBuilder {
    match fault {
        ExchangeFault::OtherAudience => token.audience("https://elsewhere.example.com"),
        ExchangeFault::OtherSubject => token.subject("somebody-else"),
        ExchangeFault::LongerLived => {
            let exp = token.claims().get("exp").and_then(Value::as_i64).unwrap_or_default();
            token.claim("exp", exp + 3600)
        }
        ExchangeFault::Endless => token.without_claim("exp"),
        ExchangeFault::OtherKey => {
            let other = SigningKey::generate(token.key().algorithm(), "other");
            token.forged_by(&other)
        }
        ExchangeFault::OtherIssuer => token.issuer("https://elsewhere.example.com"),
        ExchangeFault::Expired => token.expired_for(Duration::from_secs(60)),
        ExchangeFault::Bound => token.bound_to_key("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"),
        _ => token,
    }
}

/// The token with `alg` `none`.
fn unsigned(token: TokenBuilder) -> String {
    let signed = token.header("alg", "none").sign();
    signed.rsplit_once('.').map(|(input, _)| format!("{input}.")).unwrap_or_default()
}
