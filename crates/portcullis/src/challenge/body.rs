//! The body of a refusal.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::refusal::{JsonFault, MessageFault, Refusal, RequestFault};

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

/// A JSON-RPC error (JSON-RPC 2.0 section 5.1), for a request whose MCP message cannot be judged.
pub(super) fn json_rpc_error(refusal: &Refusal) -> Option<RefusalBody> {
    let Refusal::Request(fault) = refusal else { return None };
    let code = json_rpc_code(fault)?;
    let id = match fault {
        RequestFault::McpFieldsDisagree { id } => id.json(),
        _ => None,
    };
    // MCP leaves the member out where the `id` is unknown.
    let id = id.map(|id| format!("\"id\":{id},")).unwrap_or_default();
    let error = json!({ "code": code, "message": refusal.description(), "data": { "code": refusal.code() } });
    let bytes = format!("{{\"jsonrpc\":\"2.0\",{id}\"error\":{error}}}");
    Some(RefusalBody { content_type: HeaderValue::from_static("application/json"), bytes: bytes.into() })
}

/// The code of a JSON-RPC error; none for a fault that has nothing to do with the message.
fn json_rpc_code(fault: &RequestFault) -> Option<i32> {
    const HEADER_MISMATCH: i32 = -32020;
    const PARSE_ERROR: i32 = -32700;
    const INVALID_REQUEST: i32 = -32600;
    match fault {
        RequestFault::McpFieldsMissing | RequestFault::McpFieldsMalformed | RequestFault::McpFieldsDisagree { .. } => {
            Some(HEADER_MISMATCH)
        }
        RequestFault::McpBody(MessageFault::CutOff | MessageFault::Json(JsonFault::Syntax)) => Some(PARSE_ERROR),
        fault if fault.is_of_message() => Some(INVALID_REQUEST),
        _ => None,
    }
}
