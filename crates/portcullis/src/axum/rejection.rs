//! What an extractor answers.

use std::fmt;

use axum_core::{
    body::Body,
    response::{IntoResponse, Response},
};

use crate::{challenge::Challenge, refusal::Refusal, telemetry};

/// The refusal of an extractor: the same response as the layer's before it.
///
/// # Example
///
/// Take it over, and answer in your own way:
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

    pub(super) fn without_layer(refusal: Refusal) -> Self {
        Self::new(refusal, Challenge::default())
    }

    /// Why the request is refused.
    #[must_use]
    pub fn refusal(&self) -> &Refusal {
        &self.refusal
    }
}

impl IntoResponse for AccessRejection {
    fn into_response(self) -> Response {
        telemetry::refused(&self.refusal);
        self.challenge.response(&self.refusal).map(Body::from)
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
