//! From the request that a proxy describes to what the proxy is told.
//!
//! ```text
//! Original ── routes ──► Rule ── portcullis::Secure ──► Access ── headers ──► Decision
//!      └── a fault of ours, or a refusal of the library's ─────────────────────┘
//! ```

mod decider;
mod fault;
mod gateway;
mod headers;
mod issuers;
mod kept;
mod telling;

pub(crate) use decider::{Decider, Deciding, Door};
pub(crate) use fault::Fault;
pub(crate) use gateway::{Asked, Gateway};
pub(crate) use headers::leads_past_us;
pub(crate) use issuers::{BuildError, Issuers, Served};
pub(crate) use telling::Recent;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response};
use portcullis::{Access, HeaderFields};

use crate::routes::Overrides;

/// The request that a client sent, as the proxy in between describes it.
#[derive(Clone, Copy)]
pub(crate) struct Original<'a> {
    /// The method, to the letter (RFC 9110 section 9.1).
    pub(crate) method: &'a str,
    /// Path and query as they stood in the request line, not decoded.
    pub(crate) target: &'a str,
    /// The method or path that the client's header fields ask for besides.
    pub(crate) overriding: Overrides<'a>,
    /// The client's header fields.
    pub(crate) fields: &'a dyn HeaderFields,
    /// The parent of the span that the decision gets; only read if there is to be one.
    pub(crate) traceparent: Option<&'a str>,
}

const NO_FIELDS: [(&str, &[u8]); 0] = [];

impl Original<'static> {
    /// A request that nothing is known of.
    pub(crate) const NOTHING: Self =
        Self { method: "", target: "", overriding: Overrides::NOTHING, fields: &NO_FIELDS, traceparent: None };
}

/// Whether a request may pass, and under which route it fell, by its place in the configuration.
pub(crate) struct Decision {
    pub(crate) route: Option<usize>,
    pub(crate) outcome: Result<Pass, Refused>,
}

/// A request may pass.
pub(crate) struct Pass {
    /// Header fields for the upstream, each in place of what the client sent under that name: without a value, it must
    /// not reach the upstream at all.
    pub(crate) headers: Vec<(HeaderName, Option<HeaderValue>)>,
    /// The `Authorization` field for the upstream, if another than the client's: of a phantom token, the JWT.
    pub(crate) authorization: Option<HeaderValue>,
    /// On what ground it may; none on a public route.
    pub(crate) access: Option<Access>,
    /// Why it would be refused, if its route did not only report.
    pub(crate) would_refuse: Option<Reported>,
}

/// A refusal that is only reported.
pub(crate) struct Reported {
    /// The stable code: the library's, or one of [`Fault`].
    pub(crate) code: &'static str,
    /// The reason, for operators.
    pub(crate) reason: String,
}

/// A request may not pass.
pub(crate) struct Refused {
    /// The stable code: the library's, or one of [`Fault`].
    pub(crate) code: &'static str,
    /// The reason, for operators.
    pub(crate) reason: String,
    /// What the client gets.
    pub(crate) response: Response<Bytes>,
}
