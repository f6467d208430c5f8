//! The decision about a request that a proxy describes.
//!
//! ```text
//! Original ── routes ──► Rule ── portcullis::Secure ──► Access ── headers ──► Decision
//!      └── a fault of the request, or a refusal by the library ────────────────┘
//! ```

mod certificate;
mod challenges;
mod common_memory;
mod decider;
mod fault;
mod gateway;
mod headers;
mod issuers;
mod kept;
mod layers;
mod places;
mod preflight;
mod proofs;
mod resources;
mod telling;

pub use certificate::CertificateIn;
pub use common_memory::CommonMemory;
pub use decider::{Decider, Deciding, Door, Waiting};
pub use fault::Fault;
pub use gateway::Gateway;
pub(crate) use gateway::{Asked, presented};
pub use headers::{leads_past_us, told_in_field};
pub use issuers::BuildError;
pub(crate) use issuers::{Issuers, Served};
pub(crate) use telling::Recent;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response};
use portcullis::{Access, Content, HeaderFields};

use crate::routes::{self, Overrides};

/// The request of a client, as the proxy describes it.
#[derive(Clone, Copy)]
pub struct Original<'a> {
    /// The method, to the letter (RFC 9110 section 9.1).
    pub method: &'a str,
    /// Path and query as in the request line, not decoded.
    pub target: &'a str,
    /// The host, with or without a port, as the proxy tells it; none if it does not, or not clearly.
    pub host: Option<&'a str>,
    /// The scheme of the URL that the client requested, as the proxy tells it, and empty if it tells several; none if it
    /// tells none.
    pub scheme: Option<&'a str>,
    /// The method or path by which the client's header fields override those of the request line.
    pub overriding: Overrides<'a>,
    /// The name of the route, if the proxy chooses it.
    pub route: Option<&'a str>,
    /// The client's header fields.
    pub fields: &'a dyn HeaderFields,
    /// The content, as far as the proxy shows it.
    pub content: Content<'a>,
    /// The place of the client's certificate.
    pub certificate: CertificateIn<'a>,
    /// The access that an earlier decision about the same request gave: within nginx, that of the location it came from.
    pub before: Option<&'a Access>,
    /// The parent of the decision's span; read only if there is a span.
    pub traceparent: Option<&'a str>,
}

impl<'a> Original<'a> {
    /// Returns the parts on which the route depends.
    fn line(&self) -> routes::Request<'a> {
        let &Self { method, host, target, overriding, .. } = self;
        routes::Request { method, host, target, overriding }
    }

    /// Returns true if the upstream may take the request for one with another method.
    fn is_overridden(&self) -> bool {
        routes::overrides_method(self.overriding, self.target)
    }
}

/// The field that gives a client the nonce for its next proof (RFC 9449 section 8).
pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

const NO_FIELDS: [(&str, &[u8]); 0] = [];

impl Original<'static> {
    /// A request without any content.
    pub const NOTHING: Self = Self {
        method: "",
        target: "",
        host: None,
        scheme: None,
        overriding: Overrides::NOTHING,
        route: None,
        fields: &NO_FIELDS,
        content: Content::Unseen,
        certificate: CertificateIn::Nothing,
        before: None,
        traceparent: None,
    };
}

/// A pass or a refusal, with the index of the route in the configuration.
pub struct Decision {
    /// The index of the route; none if there are no routes, or none was found.
    pub route: Option<usize>,
    /// The pass, or the refusal.
    pub outcome: Result<Pass, Refused>,
}

/// The evidence that a request may pass, and its consequences for the upstream.
pub struct Pass {
    /// Header fields for the upstream. Each replaces the client's field of that name; without a value, the field must
    /// not reach the upstream at all.
    pub headers: Vec<(HeaderName, Option<HeaderValue>)>,
    /// The `Authorization` field for the upstream.
    pub authorization: Authorization,
    /// The access by a token; none on a public route.
    pub access: Option<Access>,
    /// The refusal that the route only reports.
    pub would_refuse: Option<Reported>,
    /// The nonce for the client's next proof (RFC 9449 section 8.2), in the response.
    pub dpop_nonce: Option<HeaderValue>,
}

/// The `Authorization` field for the upstream.
pub enum Authorization {
    /// The client's.
    AsSent,
    /// Another in place of the client's: the JWT behind a phantom token.
    Replaced(HeaderValue),
    /// None: the token is for the resource alone.
    Removed,
}

impl Pass {
    /// The same, with the token moved from its own place. Where a refusal is only reported, the upstream gets the request as it is.
    fn with(mut self, moved: places::Moved) -> Self {
        if self.would_refuse.is_some() {
            self.headers.extend(moved.kept);
            return self;
        }
        self.headers.extend(moved.fields);
        let is_sent = self.access.is_some() && matches!(self.authorization, Authorization::AsSent);
        match moved.authorization.filter(|_| is_sent) {
            Some(authorization) => Self { authorization: Authorization::Replaced(authorization), ..self },
            None => self,
        }
    }

    fn without_token(self) -> Self {
        Self { authorization: Authorization::Removed, ..self }
    }
}

/// A refusal that is only reported.
pub struct Reported {
    /// The stable code: the library's, or that of a [`Fault`].
    pub code: &'static str,
    /// The reason, for operators.
    pub reason: String,
}

/// A refusal.
pub struct Refused {
    /// The stable code: the library's, or that of a [`Fault`].
    pub code: &'static str,
    /// The reason, for operators.
    pub reason: String,
    /// The response for the client.
    pub response: Response<Bytes>,
}
