//! The reasons to refuse a request before its token is looked at.

use std::{borrow::Cow, net::IpAddr};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use portcullis::MalformedClientCertificate;

use super::Refused;
use crate::routes::Unrouted;

/// A fault of a request, or of its description by the proxy.
///
/// | code | meaning |
/// |---|---|
/// | `no_route` | no route of the configuration matches |
/// | `ambiguous_path` | read another way, or by a field that overrides it, the path is under another route |
/// | `malformed_path` | not a path: broken percent-encoding, control characters |
/// | `ambiguous_method` | by a method that overrides the request's, it is under another route |
/// | `malformed_method` | not a method, or a route's method in other letter case |
/// | `unknown_host` | the route depends on the host, and the proxy does not tell it, or a malformed one |
/// | `unknown_route` | the proxy chooses a route by a name that no route has |
/// | `wrong_host` | the path is one of a protected resource, and the host is not that resource's |
/// | `metadata_not_forwarded` | the path is that of a resource's metadata, and the proxy asks about it |
/// | `no_original_request` | `/auth` was requested, without a description of the original request |
/// | `ambiguous_original_request` | the original request is described in two ways, twice, or incompletely |
/// | `untrusted_proxy` | the peer is not among `trusted_proxies` |
/// | `forged_header` | the client sent a header field that only the gateway may set, or one that is judged, with `_` or the like for `-` |
/// | `hop_by_hop_header` | the client's `Connection` names such a field, or one that is judged; a proxy would drop it |
/// | `several_client_certificates` | the field for the client's certificate occurs several times |
/// | `malformed_client_certificate` | the client's certificate is in another notation than configured, or malformed |
/// | `unmappable_claim` | a claim for an upstream does not survive as the value of a header field |
///
/// The status is 403: 401 would ask for another token, which would not help.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the table tells them")]
pub enum Fault {
    NoRoute,
    AmbiguousPath,
    MalformedPath,
    AmbiguousMethod,
    MalformedMethod,
    UnknownHost,
    UnknownRoute,
    WrongHost,
    MetadataNotForwarded,
    NoOriginalRequest,
    AmbiguousOriginalRequest,
    UntrustedProxy(IpAddr),
    ForgedHeader,
    HopByHopHeader,
    SeveralClientCertificates(HeaderName),
    MalformedClientCertificate {
        /// The proxy's field; none if it was Envoy's `source.certificate`.
        field: Option<HeaderName>,
        /// The expected form.
        fault: MalformedClientCertificate,
    },
    UnmappableClaim {
        /// The field for the upstream.
        field: HeaderName,
        /// The kind of the claim's value, without the value.
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
            Self::UnknownHost => "unknown_host",
            Self::UnknownRoute => "unknown_route",
            Self::WrongHost => "wrong_host",
            Self::MetadataNotForwarded => "metadata_not_forwarded",
            Self::NoOriginalRequest => "no_original_request",
            Self::AmbiguousOriginalRequest => "ambiguous_original_request",
            Self::UntrustedProxy(_) => "untrusted_proxy",
            Self::ForgedHeader => "forged_header",
            Self::HopByHopHeader => "hop_by_hop_header",
            Self::SeveralClientCertificates(_) => "several_client_certificates",
            Self::MalformedClientCertificate { .. } => "malformed_client_certificate",
            Self::UnmappableClaim { .. } => "unmappable_claim",
        }
    }

    /// Returns the reason and the remedy, for operators.
    pub(crate) fn reason(&self) -> Cow<'static, str> {
        let reason = match self {
            Self::UntrustedProxy(peer) => {
                return format!(
                    "expected a peer in trusted_proxies, got a question from {peer}: if this is your proxy, add \
                     its address"
                )
                .into();
            }
            Self::SeveralClientCertificates(field) => {
                return format!(
                    "expected one {field} field, got several: have the proxy set it in place of the client's own, and \
                     remove the client's where there is no certificate"
                )
                .into();
            }
            Self::MalformedClientCertificate { field, fault } => {
                let place = field.as_ref().map_or("source.certificate", HeaderName::as_str);
                return format!(
                    "the client's certificate in {place} cannot be read: {fault}; compare `format` of \
                     `client_certificate` with the proxy's configuration, which has to replace the client's own field"
                )
                .into();
            }
            Self::UnmappableClaim { field, got } => {
                return format!(
                    "the claim for {field} does not survive in a header field: expected text without white space at \
                     either end and with visible characters only, got {got}; `json = true` beside the claim carries \
                     any value"
                )
                .into();
            }
            Self::NoRoute => {
                "expected a path and method of a [[routes]] entry, got others; add an entry, with public = true for \
                 an open route"
            }
            Self::AmbiguousPath => {
                "expected a path that is under one route, got one that is under another if it is read another way or \
                 if X-Original-URL or X-Rewrite-URL overrides it: send it in plain form, and without these fields"
            }
            Self::AmbiguousMethod => {
                "expected a method that nothing overrides, got a request that asks for another \
                 (X-HTTP-Method-Override, X-Method-Override, X-HTTP-Method or _method in the query), or twice, and is \
                 under another route by it: send it with the method that is meant"
            }
            Self::MalformedMethod => {
                "expected a method in the letter case of the routes (RFC 9110 section 9.1), got one in other letter \
                 case or none at all: send it in capitals"
            }
            Self::MalformedPath => {
                "expected a well-formed path of at most limits.path_bytes, got broken percent-encoding, a forbidden \
                 character or a longer path"
            }
            Self::UnknownHost => {
                "expected the host of the request, on which its route depends, got none, several or a malformed one: have the proxy hand the \
                 client's Host on"
            }
            Self::UnknownRoute => {
                "expected the `name` of a [[routes]] entry in portcullis_route (context_extensions), got another: compare the \
                 proxy's configuration with `portcullis check-config`"
            }
            Self::WrongHost => {
                "expected the host of the [[resources]] entry with this path, got another or none: have the proxy hand \
                 the client's Host on, or add an entry for this host"
            }
            Self::MetadataNotForwarded => {
                "expected a path of the API, got that of a resource's metadata: have the proxy forward this path to \
                 `listen` as it is, without asking about it"
            }
            Self::NoOriginalRequest => {
                "expected a description of the original request, got none: have the proxy send X-Original-Method with \
                 X-Original-URI or X-Original-URL, or X-Forwarded-Method with X-Forwarded-Uri"
            }
            Self::AmbiguousOriginalRequest => {
                "expected one complete description of the original request, got two or an incomplete one: have the \
                 proxy send either X-Original-Method with X-Original-URI or X-Original-URL, or X-Forwarded-Method \
                 with X-Forwarded-Uri, once each, and remove the client's fields of the other names"
            }
            Self::ForgedHeader => {
                "the client sent a header field that only the gateway may set, or one that is judged, with another character for -, \
                 such as _: have the proxy remove it"
            }
            Self::HopByHopHeader => {
                "the client's Connection field names a field that only the gateway may set, or one that is judged (Authorization, \
                 those of MCP, of the content and of client certificates), and a proxy may drop the fields named there; or its Upgrade field names another HTTP (h2c), whose requests \
                 would not be judged: have the proxy remove these fields"
            }
        };
        reason.into()
    }

    /// Returns the text for the client: nothing about routes, names or proxies.
    fn description(&self) -> &'static str {
        match self {
            Self::NoRoute | Self::MetadataNotForwarded => "Nothing is open under this path and method",
            Self::AmbiguousPath | Self::MalformedPath => "The path of the request is malformed",
            Self::AmbiguousMethod | Self::MalformedMethod => "The method of the request is malformed",
            Self::WrongHost | Self::UnknownHost => "Nothing is open under this host and path",
            Self::ForgedHeader | Self::HopByHopHeader => "The request has a header field that it must not have",
            Self::SeveralClientCertificates(_) | Self::MalformedClientCertificate { .. } => {
                "The client's certificate cannot be read"
            }
            Self::UnmappableClaim { .. } => "The token has a claim that cannot be handed on",
            Self::NoOriginalRequest | Self::AmbiguousOriginalRequest | Self::UntrustedProxy(_) | Self::UnknownRoute => {
                "The request was not described in a way that can be relied on"
            }
        }
    }

    /// Returns the refusal, with problem details (RFC 9457) or without a body.
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
            Unrouted::UnknownHost => Self::UnknownHost,
        }
    }
}
