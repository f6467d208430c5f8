//! A refusal for JavaScript.

use std::collections::HashMap;

use http::header::HeaderMap;
use napi_derive::napi;
use portcullis::{CheckKind, Ground, Refusal, Secure};

/// A refusal with the whole response.
#[napi(object, object_from_js = false)]
pub struct Refused {
    /// The stable code.
    pub code: String,
    /// The text for clients.
    pub description: String,
    /// The reason for operators, without tokens and values of claims.
    pub reason: String,
    /// 400, 401, 403, 500 or 503.
    pub status: u16,
    /// The response's fields, by lower-case names.
    pub headers: HashMap<String, String>,
    /// The response's body: empty, or problem details.
    pub body: String,
    /// True if a signature was, or may have been, verified before the request was refused.
    pub took_signature: bool,
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
            took_signature: false,
        }
    }

    /// The same for a verdict on this ground.
    pub(crate) fn on(self, ground: Option<Ground>, refusal: &Refusal) -> Self {
        let took_signature = ground == Some(Ground::Verified) && refusal.check() >= CheckKind::Signature;
        Self { took_signature, ..self }
    }
}

/// Returns the fields as texts; each occurs once, the challenge included.
pub(crate) fn readable(headers: &HeaderMap) -> HashMap<String, String> {
    let latin_1 = |bytes: &[u8]| bytes.iter().copied().map(char::from).collect();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), latin_1(value.as_bytes()))).collect()
}
