//! A refusal as JavaScript sees it.

use std::collections::HashMap;

use http::header::HeaderMap;
use napi_derive::napi;
use portcullis::{Refusal, Secure};

/// Why a request may not pass, and the whole response to it.
#[napi(object, object_from_js = false)]
pub struct Refused {
    /// The stable code.
    pub code: String,
    /// What a client may read.
    pub description: String,
    /// What an operator may read: no token, no claim.
    pub reason: String,
    /// 400, 401, 403, 500 or 503.
    pub status: u16,
    /// The response's fields, by lower-case names.
    pub headers: HashMap<String, String>,
    /// The response's body: empty, or problem details.
    pub body: String,
}

impl Refused {
    pub(crate) fn new(secure: &Secure, refusal: &Refusal) -> Self {
        let (parts, body) = secure.answer(refusal).into_parts();
        Self {
            code: refusal.code().to_owned(),
            description: refusal.description().to_owned(),
            reason: refusal.to_string(),
            status: parts.status.as_u16(),
            headers: readable(&parts.headers),
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }
}

/// A challenge is one field, and so is every other.
fn readable(headers: &HeaderMap) -> HashMap<String, String> {
    let latin_1 = |bytes: &[u8]| bytes.iter().copied().map(char::from).collect();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), latin_1(value.as_bytes()))).collect()
}
