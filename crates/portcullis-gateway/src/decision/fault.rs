//! Why a request is refused before any token is looked at.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE};

use super::Refused;
use crate::routes::Unrouted;

/// What is wrong with a request, or with the way in which it was described.
///
/// | code | meaning |
/// |---|---|
/// | `no_route` | no route of the configuration matches |
/// | `ambiguous_path` | read in another way, the path is under another route |
/// | `malformed_path` | not a path: broken percent-encoding, control characters |
/// | `no_original_request` | `/auth` was asked, and nothing says about which request |
/// | `ambiguous_original_request` | it is described in two ways, twice, or by half |
/// | `untrusted_proxy` | who describes it is not among `trusted_proxies` |
/// | `forged_header` | the client sent a header field that only the gateway may set, with another mark for `-`, such as `_` |
/// | `unmappable_claim` | a claim that an upstream gets has a value that no header field can carry |
///
/// The status is 403, since 401 would ask for another token, which would not help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    NoRoute,
    AmbiguousPath,
    MalformedPath,
    NoOriginalRequest,
    AmbiguousOriginalRequest,
    UntrustedProxy,
    ForgedHeader,
    UnmappableClaim,
}

impl Fault {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::NoRoute => "no_route",
            Self::AmbiguousPath => "ambiguous_path",
            Self::MalformedPath => "malformed_path",
            Self::NoOriginalRequest => "no_original_request",
            Self::AmbiguousOriginalRequest => "ambiguous_original_request",
            Self::UntrustedProxy => "untrusted_proxy",
            Self::ForgedHeader => "forged_header",
            Self::UnmappableClaim => "unmappable_claim",
        }
    }

    /// Why, for operators, and what to do.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::NoRoute => {
                "no [[routes]] entry has this path and method; add one, with public = true for an open route"
            }
            Self::AmbiguousPath => "read in another way, the path is under another route",
            Self::MalformedPath => "the path has a broken percent-encoding or a character that no path has",
            Self::NoOriginalRequest => {
                "nothing says which request is meant: the proxy has to send X-Original-URI and X-Original-Method, \
                 or X-Forwarded-Uri and X-Forwarded-Method"
            }
            Self::AmbiguousOriginalRequest => {
                "the original request is described twice or by half: the proxy has to send either X-Original-URI and \
                 X-Original-Method or X-Forwarded-Uri and X-Forwarded-Method, once each, and to drop what clients send \
                 under the other names"
            }
            Self::UntrustedProxy => "who describes the original request is not among trusted_proxies",
            Self::ForgedHeader => {
                "the client sent a header field that only the gateway may set, with another mark for -, such as _"
            }
            Self::UnmappableClaim => "the value of a claim that the upstream is to get has control characters",
        }
    }

    /// What a client may read: nothing of routes, names or proxies.
    fn description(self) -> &'static str {
        match self {
            Self::NoRoute => "Nothing is open under this path and method",
            Self::AmbiguousPath | Self::MalformedPath => "The path of the request is malformed",
            Self::ForgedHeader => "The request has a header field that it must not have",
            Self::UnmappableClaim => "The token has a claim that cannot be handed on",
            Self::NoOriginalRequest | Self::AmbiguousOriginalRequest | Self::UntrustedProxy => {
                "The request was not described in a way that can be relied on"
            }
        }
    }

    /// The refusal, told with problem details (RFC 9457) or without a body.
    pub(super) fn refused(self, problem_json: bool) -> Refused {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::FORBIDDEN;
        if problem_json {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
            *response.body_mut() = self.problem();
        }
        Refused { code: self.code(), reason: self.reason().to_owned(), response }
    }

    fn problem(self) -> Bytes {
        let problem = serde_json::json!({
            "type": "about:blank",
            "title": StatusCode::FORBIDDEN.canonical_reason(),
            "status": StatusCode::FORBIDDEN.as_u16(),
            "detail": self.description(),
            "code": self.code(),
        });
        problem.to_string().into()
    }
}

impl From<Unrouted> for Fault {
    fn from(unrouted: Unrouted) -> Self {
        match unrouted {
            Unrouted::NoRoute => Self::NoRoute,
            Unrouted::AmbiguousPath => Self::AmbiguousPath,
            Unrouted::MalformedPath => Self::MalformedPath,
        }
    }
}
