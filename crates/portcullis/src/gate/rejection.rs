//! The answer to a request that a handler, or an extractor before it, does not serve.

use std::fmt;

use bytes::Bytes;
use http::Response;

use crate::{challenge::Challenge, refusal::Refusal, telemetry};

/// The refusal of an extractor, or of a token exchange: the response is that of the layer or middleware before the handler.
///
/// # Example
///
/// Take the refusal as a `Result`, to answer in your own way:
///
/// ```
/// use portcullis::{AccessRejection, Claims};
///
/// async fn handler(claims: Result<Claims, AccessRejection>) -> String {
///     match claims {
///         Ok(claims) => format!("hello {}", claims.subject().unwrap_or("you")),
///         Err(rejection) => format!("not you: {}", rejection.refusal().code()),
///     }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct AccessRejection {
    refusal: Refusal,
    challenge: Challenge,
}

impl AccessRejection {
    pub(super) fn new(refusal: Refusal, challenge: Challenge) -> Self {
        Self { refusal, challenge }
    }

    /// The reason why the request is refused.
    #[must_use]
    pub fn refusal(&self) -> &Refusal {
        &self.refusal
    }

    /// Returns the response, uncounted.
    #[cfg_attr(not(feature = "actix"), expect(dead_code, reason = "only actix asks for it"))]
    pub(crate) fn response(&self) -> Response<Bytes> {
        self.challenge.response(&self.refusal)
    }

    /// Counts and logs the refusal, and returns the response to the client.
    #[must_use]
    pub fn answer(&self) -> Response<Bytes> {
        telemetry::refused(&self.refusal);
        self.challenge.response(&self.refusal)
    }
}

impl fmt::Display for AccessRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.refusal.fmt(f)
    }
}

impl std::error::Error for AccessRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.refusal)
    }
}
