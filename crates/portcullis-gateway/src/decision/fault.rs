//! Why a request is refused before any token is looked at.

use std::{borrow::Cow, net::IpAddr};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header::CONTENT_TYPE};

use super::Refused;
use crate::routes::Unrouted;

/// What is wrong with a request, or with the way in which it was described.
///
/// | code | meaning |
/// |---|---|
/// | `no_route` | no route of the configuration matches |
/// | `ambiguous_path` | read in another way, or by a field that asks for another, the path is under another route |
/// | `malformed_path` | not a path: broken percent-encoding, control characters |
/// | `ambiguous_method` | by another method that the request asks for, it is under another route |
/// | `malformed_method` | not a method, or one of a route's but for letter case |
/// | `no_original_request` | `/auth` was asked, and nothing says about which request |
/// | `ambiguous_original_request` | it is described in two ways, twice, or by half |
/// | `untrusted_proxy` | the peer that asks is not among `trusted_proxies` |
/// | `forged_header` | the client sent a header field that only the gateway may set, with another mark for `-`, such as `_` |
/// | `hop_by_hop_header` | the client's `Connection` names such a field, or `Authorization`, which would be lost on the way |
/// | `unmappable_claim` | a claim that an upstream gets does not survive as the value of a header field |
///
/// The status is 403, since 401 would ask for another token, which would not help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    NoRoute,
    AmbiguousPath,
    MalformedPath,
    AmbiguousMethod,
    MalformedMethod,
    NoOriginalRequest,
    AmbiguousOriginalRequest,
    UntrustedProxy(IpAddr),
    ForgedHeader,
    HopByHopHeader,
    UnmappableClaim {
        /// The field for the upstream.
        field: HeaderName,
        /// The kind of the claim, without its value.
        got: &'static str,
    },
}

impl Fault {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NoRoute => "no_route",
            Self::AmbiguousPath => "ambiguous_path",
            Self::MalformedPath => "malformed_path",
            Self::AmbiguousMethod => "ambiguous_method",
            Self::MalformedMethod => "malformed_method",
            Self::NoOriginalRequest => "no_original_request",
            Self::AmbiguousOriginalRequest => "ambiguous_original_request",
            Self::UntrustedProxy(_) => "untrusted_proxy",
            Self::ForgedHeader => "forged_header",
            Self::HopByHopHeader => "hop_by_hop_header",
            Self::UnmappableClaim { .. } => "unmappable_claim",
        }
    }

    /// Why, for operators, and what to do.
    pub(crate) fn reason(&self) -> Cow<'static, str> {
        let reason = match self {
            Self::UntrustedProxy(peer) => {
                return format!(
                    "expected a proxy that trusted_proxies names, got a question from {peer}: if this is your proxy, add \
                     its address"
                )
                .into();
            }
            Self::UnmappableClaim { field, got } => {
                return format!(
                    "the claim for {field} does not survive in a header field: expected text without white space at \
                     either end and with visible characters only, got {got}; `json = true` beside the claim carries any value"
                )
                .into();
            }
            Self::NoRoute => {
                "no [[routes]] entry has this path and method; add one, with public = true for an open route"
            }
            Self::AmbiguousPath => {
                "read in another way, or as a field asks (X-Original-URL, X-Rewrite-URL), the path is under another route"
            }
            Self::AmbiguousMethod => {
                "the request asks for another method (X-HTTP-Method-Override, X-Method-Override, X-HTTP-Method or _method in \
                 the query), or twice, and by that it is under another route: send it with the method that is meant"
            }
            Self::MalformedMethod => {
                "expected a method as routes name it, to the letter (RFC 9110 section 9.1), got one in other letter case or \
                 none at all: send it in capitals"
            }
            Self::MalformedPath => {
                "the path has a broken percent-encoding or a character that no path has, or is longer than limits.path_bytes"
            }
            Self::NoOriginalRequest => {
                "nothing says which request is meant: the proxy has to send X-Original-Method with X-Original-URI or \
                 X-Original-URL, or X-Forwarded-Method with X-Forwarded-Uri"
            }
            Self::AmbiguousOriginalRequest => {
                "the original request is described twice or by half: the proxy has to send either X-Original-Method with \
                 X-Original-URI or X-Original-URL, or X-Forwarded-Method with X-Forwarded-Uri, once each, and to drop what \
                 clients send under the other names"
            }
            Self::ForgedHeader => {
                "the client sent a header field that only the gateway may set, with another mark for -, such as _"
            }
            Self::HopByHopHeader => {
                "the client's Connection field names Authorization or a field that only the gateway may set, and a proxy \
                 may drop what it names on the way to the upstream; or its Upgrade field names another HTTP (h2c), in which \
                 requests would follow that nobody judges: have the proxy take that out"
            }
        };
        reason.into()
    }

    /// What a client may read: nothing of routes, names or proxies.
    fn description(&self) -> &'static str {
        match self {
            Self::NoRoute => "Nothing is open under this path and method",
            Self::AmbiguousPath | Self::MalformedPath => "The path of the request is malformed",
            Self::AmbiguousMethod | Self::MalformedMethod => "The method of the request is malformed",
            Self::ForgedHeader | Self::HopByHopHeader => "The request has a header field that it must not have",
            Self::UnmappableClaim { .. } => "The token has a claim that cannot be handed on",
            Self::NoOriginalRequest | Self::AmbiguousOriginalRequest | Self::UntrustedProxy(_) => {
                "The request was not described in a way that can be relied on"
            }
        }
    }

    /// The refusal, told with problem details (RFC 9457) or without a body.
    pub(super) fn refused(&self, problem_json: bool) -> Refused {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::FORBIDDEN;
        if problem_json {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
            *response.body_mut() = self.problem();
        }
        Refused { code: self.code(), reason: self.reason().into_owned(), response }
    }

    fn problem(&self) -> Bytes {
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
            Unrouted::AmbiguousMethod => Self::AmbiguousMethod,
            Unrouted::MalformedMethod => Self::MalformedMethod,
        }
    }
}
