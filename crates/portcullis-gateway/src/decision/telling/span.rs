//! The OpenTelemetry span of a decision. No token, no path and no claim is in it; the issuer of a verified token is.

use std::time::SystemTime;

use opentelemetry::{
    Context, KeyValue,
    trace::{Status, TraceContextExt},
};
use portcullis::VerifiedToken;

use super::{Outcome, PASS, Told};
use crate::telemetry::Traces;

/// The span of a decision in progress.
pub(in crate::decision) struct DecisionSpan(Context);

impl DecisionSpan {
    pub(super) fn begin(traces: &Traces, traceparent: Option<&str>, started: SystemTime) -> Self {
        Self(traces.begin(traceparent, started))
    }

    /// Returns the context that makes other spans its children.
    pub(in crate::decision) fn context(&self) -> Context {
        self.0.clone()
    }

    /// Ends the span.
    pub(super) fn end(self, told: &Told<'_>) {
        let span = self.0.span();
        if span.is_recording() {
            let (code, token, failed) = match told.outcome {
                Outcome::Passed(token) => (PASS, token, false),
                Outcome::Reported(_) => (PASS, None, false),
                Outcome::Refused(refused) => (refused.code, None, refused.response.status().is_server_error()),
            };
            let issuer = token.and_then(|token: &VerifiedToken| token.claims().issuer());
            let issuer = issuer.map(|issuer| KeyValue::new("issuer", issuer.to_owned()));
            let route = told.route.map(|route| KeyValue::new("route", route.to_owned()));
            span.set_attribute(KeyValue::new("door", told.door.name()));
            span.set_attribute(KeyValue::new("code", code));
            span.set_attribute(KeyValue::new("http.request.method", known_method(told.original.method)));
            span.set_attributes(issuer.into_iter().chain(route));
            if failed {
                span.set_status(Status::error(code));
            }
        }
        span.end();
    }
}

/// Returns a registered method; any other is client text, for which OpenTelemetry has `_OTHER`.
fn known_method(method: &str) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or("_OTHER")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_of_the_clients_own_is_not_told() {
        for (method, told) in [("GET", "GET"), ("TRACE", "TRACE"), ("get", "_OTHER"), ("eyJhbGciOi", "_OTHER")] {
            assert_eq!(known_method(method), told);
        }
    }
}
