//! The body of a refusal.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::refusal::Refusal;

/// The body of a response to a refused request, made by [`Secure::refusal_body`](crate::Secure::refusal_body).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalBody {
    /// The media type (RFC 9110 section 8.3).
    pub content_type: HeaderValue,
    /// The body. If it is empty, the response has no `Content-Type` either.
    pub bytes: Bytes,
}

/// A closure that makes the bodies of refusals.
#[derive(Clone)]
pub(crate) struct BodyHook(Arc<dyn Fn(&Refusal) -> RefusalBody + Send + Sync>);

impl BodyHook {
    pub(crate) fn new(body: impl Fn(&Refusal) -> RefusalBody + Send + Sync + 'static) -> Self {
        Self(Arc::new(body))
    }

    pub(super) fn body(&self, refusal: &Refusal) -> RefusalBody {
        (self.0)(refusal)
    }
}

impl fmt::Debug for BodyHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyHook")
    }
}

/// Problem details (RFC 9457); `code` is our extension member.
pub(super) fn problem(status: StatusCode, refusal: &Refusal) -> RefusalBody {
    let problem = json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": refusal.description(),
        "code": refusal.code(),
    });
    let content_type = HeaderValue::from_static("application/problem+json");
    RefusalBody { content_type, bytes: problem.to_string().into() }
}
