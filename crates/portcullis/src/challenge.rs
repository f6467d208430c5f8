//! From a [`Refusal`] to a response: the one place that maps them (RFC 6750 section 3, RFC 9110 section 11.6.1).
//!
//! | case | status | challenge |
//! |---|---|---|
//! | no token | 401 | `Bearer`, with the realm only |
//! | several tokens | 400 | `error="invalid_request"` |
//! | bad token, rule for claims not met | 403, or as configured | `error="invalid_token"` |
//! | token that is bound to a key, without its proof, or that has to be | 401 | `error="invalid_token"` |
//! | bad DPoP proof | 401 | `DPoP error="invalid_dpop_proof"`, or `"use_dpop_nonce"` with a `DPoP-Nonce` field |
//! | scope missing | 403 | `error="insufficient_scope"`, with the scope |
//! | user's authentication too weak or too old | 401 | `error="insufficient_user_authentication"`, with `acr_values` and `max_age` |
//! | token that is not exchanged for one of the upstream's | 403 | none: no other token of this client is sure to help |
//! | keys, introspection or exchange not available | 503 and Retry-After | none |
//! | our own misconfiguration | 500 | none |
//! | MCP message that cannot be judged | 400, 403, 413 or 415 | none; a JSON-RPC error in the body |
//!
//! Where DPoP is accepted (RFC 9449 section 7.1), there is a challenge for each scheme, in a field of its own; where it is required,
//! the one for `DPoP` alone. Its `algs` are the algorithms of proofs.
//!
//! For a protected resource, a client that may come back with another token is also told `scope`, all that the endpoint needs at
//! once, and `resource_metadata`, the URL of the resource's document (RFC 9728 section 5.1).

mod body;
mod scheme;

pub use body::RefusalBody;

pub(crate) use body::BodyHook;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};

use crate::{
    each_once::each_once,
    policy::{InvalidTokenStatus, Rules},
    refusal::{AccessFault, Refusal, RequestFault},
};
use scheme::SchemeChallenge;

/// The configured form of responses to refused requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct Challenge {
    realm: Option<String>,
    invalid_token_status: InvalidTokenStatus,
    problem_json: bool,
    told: Option<Arc<Told>>,
    dpop: Option<Arc<DpopTold>>,
    pub(crate) own_body: Option<BodyHook>,
}

/// The facts about DPoP for clients.
#[derive(Debug, Clone)]
pub(crate) struct DpopTold {
    /// The algorithms of proofs, separated by spaces.
    pub(crate) algorithms: String,
    /// True if bearer tokens are refused.
    pub(crate) is_required: bool,
}

/// The facts about a protected resource for its clients.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// The scope values that the endpoint needs.
    scope: Vec<String>,
    metadata_url: String,
}

impl Told {
    pub(crate) fn new<'a>(metadata_url: &str, scope: impl Iterator<Item = &'a str>) -> Self {
        Self { scope: scope.map(str::to_owned).collect(), metadata_url: metadata_url.to_owned() }
    }
}

impl Challenge {
    pub(crate) fn new(rules: &Rules, told: Option<Told>, dpop: Option<DpopTold>, own_body: Option<BodyHook>) -> Self {
        let Rules { realm, invalid_token_status, problem_json, .. } = rules;
        // RFC 9449 section 7.1 has 401, and its clients look for the challenge there. Where bearer tokens pass, too, nothing changes for
        // their clients.
        let is_required = dpop.as_ref().is_some_and(|dpop| dpop.is_required);
        let invalid_token_status = if is_required { InvalidTokenStatus::Unauthorized } else { *invalid_token_status };
        Self {
            realm: realm.clone(),
            invalid_token_status,
            problem_json: *problem_json,
            told: told.map(Arc::new),
            dpop: dpop.map(Arc::new),
            own_body,
        }
    }

    /// The response to a refused request: it shows nothing of the token or of our configuration.
    pub(crate) fn response(&self, refusal: &Refusal) -> Response<Bytes> {
        let (refusal, operation_scope) = refusal.with_scope();
        let status = self.status(refusal);
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = status;
        scheme::add_fields(response.headers_mut(), &self.schemes(refusal, operation_scope));
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
            None => body::json_rpc_error(refusal).or_else(|| self.problem_json.then(|| body::problem(status, refusal))),
        }
    }

    fn status(&self, refusal: &Refusal) -> StatusCode {
        match refusal {
            Refusal::Request(fault) => of_request(fault),
            Refusal::Token(fault) if fault.is_of_binding() => StatusCode::UNAUTHORIZED,
            Refusal::Proof(_) => StatusCode::UNAUTHORIZED,
            Refusal::Access(AccessFault::InsufficientScope { .. } | AccessFault::ExchangeRefused { .. }) => {
                StatusCode::FORBIDDEN
            }
            Refusal::Access(AccessFault::InsufficientUserAuthentication { .. }) => StatusCode::UNAUTHORIZED,
            Refusal::Token(_) | Refusal::Access(_) => self.invalid_token_status.into(),
            Refusal::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Configuration(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Refusal::Operation { refusal, .. } => self.status(refusal),
        }
    }

    /// A challenge for each accepted scheme; none if no other token would help.
    fn schemes(&self, refusal: &Refusal, operation_scope: &str) -> Vec<SchemeChallenge> {
        match refusal {
            Refusal::Request(fault) if fault.is_of_message() => Vec::new(),
            Refusal::Access(AccessFault::ExchangeRefused { .. }) => Vec::new(),
            Refusal::Request(_) | Refusal::Token(_) | Refusal::Access(_) | Refusal::Proof(_) => {
                let is_for_bearer = self.dpop.as_ref().is_none_or(|dpop| !dpop.is_required);
                let bearer = is_for_bearer && !matches!(refusal, Refusal::Proof(_));
                // Clients that know one scheme only look for `Bearer` first.
                let bearer = bearer.then(|| self.challenge("Bearer", refusal, operation_scope));
                let dpop = self.dpop.as_ref().map(|told| {
                    let mut challenge = self.challenge("DPoP", refusal, operation_scope);
                    challenge.add("algs", &told.algorithms);
                    challenge
                });
                bearer.into_iter().chain(dpop).collect()
            }
            Refusal::Unavailable(_) | Refusal::Configuration(_) | Refusal::Operation { .. } => Vec::new(),
        }
    }

    fn challenge(&self, scheme: &'static str, refusal: &Refusal, operation_scope: &str) -> SchemeChallenge {
        let mut challenge = SchemeChallenge::new(scheme);
        if let Some(realm) = &self.realm {
            challenge.add("realm", realm);
        }
        if let Some(error) = error(refusal) {
            challenge.add("error", error);
            challenge.add("error_description", refusal.description());
        }
        if let Refusal::Access(AccessFault::InsufficientUserAuthentication { acr_values, max_age, .. }) = refusal {
            if !acr_values.is_empty() {
                challenge.add("acr_values", &acr_values.join(" "));
            }
            if let Some(age) = max_age {
                challenge.add("max_age", &age.as_secs().to_string());
            }
        }
        if let Some(scope) = self.scope(refusal, operation_scope) {
            challenge.add("scope", &scope);
        }
        if let Some(told) = self.told(refusal) {
            challenge.add("resource_metadata", &told.metadata_url);
        }
        challenge
    }

    /// The scope that a client should ask for: all that is needed, and nothing of the token's.
    fn scope(&self, refusal: &Refusal, operation_scope: &str) -> Option<String> {
        let required = match refusal {
            Refusal::Access(AccessFault::InsufficientScope { required }) => required,
            _ => "",
        };
        let Some(told) = self.told(refusal) else { return (!required.is_empty()).then(|| required.to_owned()) };
        let of_operation = required.split(' ').chain(operation_scope.split(' ')).filter(|value| !value.is_empty());
        let values = each_once(told.scope.iter().map(String::as_str).chain(of_operation));
        (!values.is_empty()).then(|| values.join(" "))
    }

    /// The facts for a client that may come back with another token; a malformed request has to be mended first.
    fn told(&self, refusal: &Refusal) -> Option<&Told> {
        self.told.as_deref().filter(|_| !matches!(refusal, Refusal::Request(RequestFault::SeveralTokens)))
    }
}

/// The error code of a challenge (RFC 6750 section 3.1, RFC 9449 section 7.1, RFC 9470 section 3); none if the request carries no token.
fn error(refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::Request(RequestFault::SeveralTokens) => Some("invalid_request"),
        Refusal::Proof(fault) if fault.wants_nonce() => Some("use_dpop_nonce"),
        Refusal::Proof(_) => Some("invalid_dpop_proof"),
        Refusal::Request(_) | Refusal::Unavailable(_) | Refusal::Configuration(_) | Refusal::Operation { .. } => None,
        Refusal::Access(AccessFault::InsufficientScope { .. }) => Some("insufficient_scope"),
        Refusal::Access(AccessFault::InsufficientUserAuthentication { .. }) => Some("insufficient_user_authentication"),
        Refusal::Token(_) | Refusal::Access(_) => Some("invalid_token"),
    }
}

fn of_request(fault: &RequestFault) -> StatusCode {
    match fault {
        RequestFault::NoCredentials | RequestFault::OtherScheme | RequestFault::EmptyToken => StatusCode::UNAUTHORIZED,
        RequestFault::McpOrigin => StatusCode::FORBIDDEN,
        RequestFault::McpContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        RequestFault::McpBodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        RequestFault::SeveralTokens
        | RequestFault::McpFieldsMissing
        | RequestFault::McpFieldsMalformed
        | RequestFault::McpFieldsDisagree { .. }
        | RequestFault::McpBody(_) => StatusCode::BAD_REQUEST,
    }
}

/// Rounds up, so that clients do not retry too early; at least one second (RFC 9110 section 10.2.3).
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests;
