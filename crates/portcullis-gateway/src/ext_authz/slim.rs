//! The parts of a check that its decision depends on.
//!
//! Messages grow when they are read: a field of two bytes takes up 72. So unused parts are dropped at once, and fields
//! are counted as HTTP/2 counts them.

use envoy_types::{
    ext_authz::v3::pb::CheckRequest,
    pb::envoy::service::auth::v3::{
        AttributeContext,
        attribute_context::{HttpRequest, Peer, Request},
    },
};

use super::ROUTE;

/// The bytes that each field counts beside its name and value (RFC 9113 section 6.5.2).
const OF_A_FIELD: usize = 32;

/// Returns the check without its unused parts; none if its fields are larger than the limit.
pub(super) fn slim(check: CheckRequest, check_bytes: usize) -> Option<CheckRequest> {
    let AttributeContext { source, request, mut context_extensions, .. } = check.attributes.unwrap_or_default();
    let http = request.and_then(|request| request.http);
    if http.as_ref().is_some_and(|http| size_of_fields(http) > check_bytes) {
        return None;
    }
    let http = http.map(|http| HttpRequest { body: String::new(), ..http });
    context_extensions.retain(|key, _| key == ROUTE);
    let attributes = AttributeContext {
        source: source.map(|Peer { address, certificate, .. }| Peer { address, certificate, ..Peer::default() }),
        request: Some(Request { http, ..Request::default() }),
        context_extensions,
        ..AttributeContext::default()
    };
    Some(CheckRequest { attributes: Some(attributes) })
}

fn size_of_fields(http: &HttpRequest) -> usize {
    let joined = http.headers.iter().map(|(name, value)| OF_A_FIELD + name.len() + value.len());
    let raw = http.header_map.iter().flat_map(|map| &map.headers);
    joined.chain(raw.map(|field| OF_A_FIELD + field.key.len() + field.value.len() + field.raw_value.len())).sum()
}
