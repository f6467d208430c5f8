//! From the request that a proxy describes to what the proxy is told.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response};
use portcullis::Access;

/// The request that a client sent, as the proxy in between describes it.
pub(crate) struct Original<'a> {
    /// The method, to the letter (RFC 9110 section 9.1).
    pub(crate) method: &'a str,
    /// Path and query as they stood in the request line, not decoded.
    pub(crate) target: &'a str,
    /// The value of each `Authorization` field.
    pub(crate) authorization: &'a [&'a [u8]],
}

/// What the proxy is told.
pub(crate) enum Decision {
    Pass(Pass),
    Refuse(Response<Bytes>),
}

/// A request may pass.
pub(crate) struct Pass {
    /// Header fields for the upstream, each in place of what the client sent under that name.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// On what ground it may; none on a public route.
    pub(crate) access: Option<Access>,
}

/// All that decides, of one configuration; a reload makes another.
pub(crate) struct Gateway {
    /// The names of header fields that only the gateway may set, in lower case.
    owned: Arc<[HeaderName]>,
}

impl Gateway {
    /// Decides about a request. Nothing waits unless keys or an introspection are needed.
    pub(crate) async fn decide(&self, original: &Original<'_>) -> Decision {
        todo!("{}", original.method)
    }

    /// The names of header fields that only the gateway may set: what a client sends under them, also spelled
    /// with `_` for `-`, must not reach the upstream.
    pub(crate) fn owned_headers(&self) -> &[HeaderName] {
        &self.owned
    }
}
