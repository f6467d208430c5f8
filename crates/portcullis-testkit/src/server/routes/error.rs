use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An error response of the token endpoint (RFC 6749 section 5.2, RFC 9449 sections 5 and 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OAuthError {
    InvalidRequest(&'static str),
    InvalidClient,
    InvalidScope,
    InvalidDpopProof(&'static str),
    UseDpopNonce,
    InvalidGrant,
    UnsupportedGrantType,
    /// The code of a configured fault.
    Configured(&'static str),
}

impl OAuthError {
    fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidDpopProof(_) => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::InvalidGrant => "invalid_grant",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::Configured(code) => code,
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::InvalidRequest(description) | Self::InvalidDpopProof(description) => description,
            Self::UseDpopNonce => "expected the nonce of the field DPoP-Nonce in the proof",
            Self::InvalidClient => "unknown client or wrong secret",
            Self::InvalidScope => "scope contains a character that RFC 6749 section 3.3 does not allow",
            Self::InvalidGrant => "the subject token is not active",
            Self::UnsupportedGrantType => "only client_credentials and token exchange are supported",
            Self::Configured(_) => "a test has configured this error",
        }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = Json(json!({
            "error": self.code(),
            "error_description": self.description(),
        }));
        let no_store = [(CACHE_CONTROL, "no-store")];
        match self {
            Self::InvalidClient => {
                let challenge = [(WWW_AUTHENTICATE, r#"Basic realm="authorization server""#)];
                (StatusCode::UNAUTHORIZED, no_store, challenge, body).into_response()
            }
            _ => (StatusCode::BAD_REQUEST, no_store, body).into_response(),
        }
    }
}
