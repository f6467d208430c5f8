//! The span of a decision.

use portcullis::Access;

use super::{Decision, Door, Gateway, Original, Refused};
use crate::telemetry::{Decided, Deciding};

/// Ends the span of a decision, with what it came to.
pub(super) fn end(span: Deciding, door: Door, gateway: &Gateway, original: &Original<'_>, decision: &Decision) {
    let (code, access, failed) = match &decision.outcome {
        Ok(pass) => ("pass", pass.access.as_ref(), false),
        Err(Refused { code, response, .. }) => (*code, None, response.status().is_server_error()),
    };
    span.end(&Decided {
        door: door.name(),
        route: gateway.name_of(decision.route),
        code,
        method: original.method,
        issuer: access.map(Access::token).and_then(|token| token.claims().issuer()),
        failed,
    });
}
