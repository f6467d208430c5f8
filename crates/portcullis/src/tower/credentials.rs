//! The `Authorization` field, kept from the service behind an MCP server's layer.
//!
//! An MCP server must not pass a client's token on ("Authorization", "Token Handling"). Layers within this one find the field where
//! it is kept.

use http::{HeaderMap, HeaderValue, Request, header::AUTHORIZATION};

/// The fields that were taken off, in the request's extensions.
#[derive(Clone)]
struct TakenOff(Vec<HeaderValue>);

/// Takes the fields off.
pub(super) fn take_off<B>(request: &mut Request<B>) {
    let fields: Vec<_> = request.headers().get_all(AUTHORIZATION).iter().cloned().collect();
    if !fields.is_empty() {
        request.headers_mut().remove(AUTHORIZATION);
        request.extensions_mut().insert(TakenOff(fields));
    }
}

/// Puts back the fields that an outer layer has taken off, so that this layer finds them, and returns true if there are any.
pub(super) fn put_back<B>(request: &mut Request<B>) -> bool {
    let Some(TakenOff(fields)) = request.extensions().get().cloned() else { return false };
    let headers: &mut HeaderMap = request.headers_mut();
    for field in fields {
        headers.append(AUTHORIZATION, field);
    }
    true
}

/// Tells whether an outer layer has taken the fields off: then no layer within passes them on.
pub(super) fn were_taken_off<B>(request: &Request<B>) -> bool {
    request.extensions().get::<TakenOff>().is_some()
}
