//! The `Authorization` field, kept from the service behind an MCP server's middleware.
//!
//! An MCP server must not pass a client's token on ("Authorization", "Token Handling"). Middleware within this one finds the field
//! where it is kept.

use actix_web::{
    HttpMessage,
    dev::ServiceRequest,
    http::header::{AUTHORIZATION, HeaderValue},
};

/// The fields that were taken off, in the request's extensions.
#[derive(Clone)]
struct TakenOff(Vec<HeaderValue>);

/// Takes the fields off.
pub(super) fn take_off(request: &mut ServiceRequest) {
    let fields: Vec<_> = request.headers_mut().remove(AUTHORIZATION).collect();
    if !fields.is_empty() {
        request.extensions_mut().insert(TakenOff(fields));
    }
}

/// Puts back what outer middleware has taken off, so that this middleware finds it.
pub(super) fn put_back(request: &mut ServiceRequest) {
    let taken_off = request.extensions().get::<TakenOff>().cloned();
    for field in taken_off.into_iter().flat_map(|TakenOff(fields)| fields) {
        request.headers_mut().append(AUTHORIZATION, field);
    }
}

/// Tells whether outer middleware has taken the fields off: then no middleware within passes them on.
pub(super) fn were_taken_off(request: &ServiceRequest) -> bool {
    request.extensions().contains::<TakenOff>()
}
