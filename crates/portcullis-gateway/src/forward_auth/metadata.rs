//! The metadata of protected resources (RFC 9728 section 3), at their well-known paths.

use http::{Response, StatusCode, request::Parts};
use http_body_util::Full;
use portcullis::ResourceDocument;

use super::question::host;
use crate::{answering::Answer, decision::Gateway};

/// Returns the answer to a request for metadata; none if it is a question.
///
/// Such a request comes from a client, through the proxy. So no path that begins like one of metadata is ever judged, also where there are
/// no resources and the proxy has the location all the same: the answer would give the client the fields that are for the upstream, and
/// the token exchanged for it.
pub(super) fn answer(gateway: &Gateway, head: &Parts) -> Option<Answer> {
    let path = head.uri.path();
    if !path.starts_with(ResourceDocument::WELL_KNOWN) {
        return None;
    }
    let document = gateway.metadata(host(head), path);
    let answer = document.map(|document| document.response(head.method.as_str()).map(Full::new));
    Some(answer.unwrap_or_else(not_found))
}

fn not_found() -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::NOT_FOUND;
    answer
}
