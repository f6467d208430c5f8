//! The content of a client's request, as far as Envoy sends it (`with_request_body`).

use envoy_types::pb::envoy::service::auth::v3::attribute_context::HttpRequest;
use portcullis::Content;

use super::fields;

/// The field by which Envoy tells if it sends a part of the content alone.
const PARTIAL: &str = "x-envoy-auth-partial-body";

/// Returns the content of a request.
///
/// Only bytes count (`pack_as_bytes`): as text, Envoy replaces those that are not UTF-8, and the upstream would get another
/// content than the judged one. Without bytes the content is unseen, whether there is one or not.
pub(super) fn content(request: &HttpRequest) -> Content<'_> {
    let is_partial = || fields(request, PARTIAL).iter().any(|value| *value != b"false");
    match request.raw_body.as_slice() {
        [] => Content::Unseen,
        _ if is_partial() => Content::TooLarge,
        bytes => Content::Whole(bytes),
    }
}
