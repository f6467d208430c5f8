//! The preflights of browsers (Fetch, "CORS-preflight request"): they never carry a token.

use http::{
    HeaderName,
    header::{
        ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CONTENT_LENGTH, COOKIE, ORIGIN, PROXY_AUTHORIZATION,
        TRANSFER_ENCODING,
    },
};

use portcullis::Content;

use super::Original;
use crate::routes::is_method;

const DPOP: HeaderName = HeaderName::from_static("dpop");

/// Returns the method that the browser is going to use, if the request is a preflight and nothing else.
///
/// A browser sends one without credentials and without content, and names its origin and the method. An upstream that takes it for a
/// request with another method or path gets no token-free pass.
pub(super) fn method_of<'a>(original: &Original<'a>) -> Option<&'a str> {
    if original.method != "OPTIONS" || original.is_overridden() || original.overriding.has_path() {
        return None;
    }
    let fields = original.fields;
    let is_absent = |name: &HeaderName| fields.first_two(name) == [None, None];
    let is_bare = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, DPOP, TRANSFER_ENCODING].iter().all(is_absent);
    let has_content = !matches!(original.content, Content::Unseen)
        || !matches!(fields.first_two(&CONTENT_LENGTH), [None | Some(b"0" | b""), None]);
    let [Some(origin), None] = fields.first_two(&ORIGIN) else { return None };
    let [Some(method), None] = fields.first_two(&ACCESS_CONTROL_REQUEST_METHOD) else { return None };
    let method = std::str::from_utf8(method).ok().filter(|method| is_method(method))?;
    (is_bare && !has_content && !origin.is_empty()).then_some(method)
}
