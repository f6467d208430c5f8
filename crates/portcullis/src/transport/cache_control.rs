//! The directives of a response's `Cache-Control` (RFC 9111 section 5.2).

use http::{HeaderMap, header::CACHE_CONTROL};

/// The directives of all fields, each with its optional argument, without quotes.
pub(crate) fn cache_control(headers: &HeaderMap) -> impl Iterator<Item = (&str, Option<&str>)> {
    let fields = headers.get_all(CACHE_CONTROL).iter().filter_map(|field| field.to_str().ok());
    fields.flat_map(|field| field.split(',')).map(|directive| match directive.split_once('=') {
        Some((name, argument)) => (name.trim(), Some(argument.trim().trim_matches('"'))),
        None => (directive.trim(), None),
    })
}
