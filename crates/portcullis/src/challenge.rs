//! From a [`Refusal`] to a response: the one place that maps them (RFC 6750 section 3, RFC 9110 section 11.6.1).
//!
//! | case | status | challenge |
//! |---|---|---|
//! | no token | 401 | `Bearer`, with the realm only |
//! | several tokens | 400 | `error="invalid_request"` |
//! | bad token, rule for claims not met | 403, or as configured | `error="invalid_token"` |
//! | token that is bound to a key, without its proof | 401 | `error="invalid_token"` |
//! | scope missing | 403 | `error="insufficient_scope"`, with the scope |
//! | keys or introspection not available | 503 and Retry-After | none |
//! | our own misconfiguration | 500 | none |

mod body;

pub use body::RefusalBody;

pub(crate) use body::BodyHook;

use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};

use crate::{
    policy::{InvalidTokenStatus, Rules},
    refusal::{AccessFault, Refusal, RequestFault},
};

/// The configured form of responses to refused requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct Challenge {
    realm: Option<String>,
    invalid_token_status: InvalidTokenStatus,
    problem_json: bool,
    pub(crate) own_body: Option<BodyHook>,
}

impl Challenge {
    pub(crate) fn new(rules: &Rules, own_body: Option<BodyHook>) -> Self {
        let Rules { realm, invalid_token_status, problem_json, .. } = rules;
        let (invalid_token_status, problem_json) = (*invalid_token_status, *problem_json);
        Self { realm: realm.clone(), invalid_token_status, problem_json, own_body }
    }

    /// The response to a refused request: it shows nothing of the token or of our configuration.
    pub(crate) fn response(&self, refusal: &Refusal) -> Response<Bytes> {
        let status = self.status(refusal);
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = status;
        if let Some(challenge) = self.www_authenticate(refusal) {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if let Refusal::Unavailable(fault) = refusal {
            response.headers_mut().insert(RETRY_AFTER, whole_seconds(fault.retry_after()).into());
        }
        if let Some(body) = self.body(status, refusal).filter(|body| !body.bytes.is_empty()) {
            response.headers_mut().insert(CONTENT_TYPE, body.content_type);
            *response.body_mut() = body.bytes;
        }
        response
    }

    fn body(&self, status: StatusCode, refusal: &Refusal) -> Option<RefusalBody> {
        match &self.own_body {
            Some(hook) => Some(hook.body(refusal)),
            None => self.problem_json.then(|| body::problem(status, refusal)),
        }
    }

    fn status(&self, refusal: &Refusal) -> StatusCode {
        match refusal {
            Refusal::Request(RequestFault::SeveralTokens) => StatusCode::BAD_REQUEST,
            Refusal::Request(_) => StatusCode::UNAUTHORIZED,
            // A client that has the key can retry with a proof.
            Refusal::Token(fault) if fault.lacks_proof() => StatusCode::UNAUTHORIZED,
            Refusal::Access(AccessFault::InsufficientScope { .. }) => StatusCode::FORBIDDEN,
            Refusal::Token(_) | Refusal::Access(_) => self.invalid_token_status.into(),
            Refusal::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Configuration(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn www_authenticate(&self, refusal: &Refusal) -> Option<HeaderValue> {
        let mut parameters = Parameters::default();
        if let Some(realm) = &self.realm {
            parameters.add("realm", realm);
        }
        match refusal {
            Refusal::Unavailable(_) | Refusal::Configuration(_) => return None,
            Refusal::Request(RequestFault::SeveralTokens) => parameters.add_error("invalid_request", refusal),
            Refusal::Request(_) => {}
            Refusal::Access(AccessFault::InsufficientScope { required }) => {
                parameters.add_error("insufficient_scope", refusal);
                if !required.is_empty() {
                    parameters.add("scope", required);
                }
            }
            Refusal::Token(_) | Refusal::Access(_) => parameters.add_error("invalid_token", refusal),
        }
        HeaderValue::from_bytes(parameters.field().as_bytes()).ok()
    }
}

/// Rounds up, so that clients do not retry too early; at least one second (RFC 9110 section 10.2.3).
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0)).max(1)
}

/// `Bearer name="value", …`, the values as quoted strings (RFC 9110 sections 5.6.4 and 11.2).
#[derive(Default)]
struct Parameters(String);

impl Parameters {
    fn add(&mut self, name: &str, value: &str) {
        self.0.push_str(if self.0.is_empty() { " " } else { ", " });
        self.0.push_str(name);
        self.0.push_str("=\"");
        for character in value.chars() {
            match character {
                '"' | '\\' => self.0.extend(['\\', character]),
                // A field value cannot carry these; a space keeps the rest readable.
                control if control.is_control() => self.0.push(' '),
                other => self.0.push(other),
            }
        }
        self.0.push('"');
    }

    fn add_error(&mut self, error: &str, refusal: &Refusal) {
        self.add("error", error);
        self.add("error_description", refusal.description());
    }

    fn field(self) -> String {
        format!("Bearer{}", self.0)
    }
}

#[cfg(test)]
mod tests;
