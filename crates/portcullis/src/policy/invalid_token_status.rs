//! The status of a response to a bad token.

use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::configuration_error::ConfigurationError;

/// The status of a response to a bad token: 403 by default, or 401 as in RFC 6750 section 3.1. Where DPoP is required, it is always 401
/// (RFC 9449 section 7.1).
///
/// Serde reads and writes it as the number.
///
/// # Example
///
/// ```
/// use portcullis::InvalidTokenStatus;
///
/// assert_eq!(InvalidTokenStatus::try_from(401)?, InvalidTokenStatus::Unauthorized);
/// let error = InvalidTokenStatus::try_from(200).unwrap_err();
/// assert_eq!(error.to_string(), "`invalid_token_status`: expected 401 or 403, got 200");
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub enum InvalidTokenStatus {
    /// 401: the client may retry with another token (RFC 9110 section 15.5.2).
    Unauthorized,
    /// 403, as express-oauth-jwt answers.
    #[default]
    Forbidden,
}

impl From<InvalidTokenStatus> for StatusCode {
    fn from(status: InvalidTokenStatus) -> Self {
        match status {
            InvalidTokenStatus::Unauthorized => Self::UNAUTHORIZED,
            InvalidTokenStatus::Forbidden => Self::FORBIDDEN,
        }
    }
}

impl From<InvalidTokenStatus> for u16 {
    fn from(status: InvalidTokenStatus) -> Self {
        StatusCode::from(status).as_u16()
    }
}

impl TryFrom<u16> for InvalidTokenStatus {
    type Error = ConfigurationError;

    fn try_from(status: u16) -> Result<Self, ConfigurationError> {
        match status {
            401 => Ok(Self::Unauthorized),
            403 => Ok(Self::Forbidden),
            other => Err(ConfigurationError::rule("invalid_token_status", format!("expected 401 or 403, got {other}"))),
        }
    }
}
