//! A refusal for JavaScript.

use std::collections::HashMap;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use napi::bindgen_prelude::Either;
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
    /// The response's fields, by lower-case names; one that occurs several times is an array.
    pub headers: HashMap<String, Either<String, Vec<String>>>,
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
    pub(crate) fn on(self, ground: Option<Ground>, refusal: &Refusal, shows_proof: bool) -> Self {
        let of_token = ground == Some(Ground::Verified) && refusal.check() >= CheckKind::Signature;
        let of_proof = shows_proof && refusal.check() >= CheckKind::ProofSignature;
        Self { took_signature: of_token || of_proof, ..self }
    }
}

/// Returns the fields as texts.
pub(crate) fn readable(headers: &HeaderMap) -> HashMap<String, Either<String, Vec<String>>> {
    headers.keys().map(|name| (name.as_str().to_owned(), texts(headers, name))).collect()
}

fn texts(headers: &HeaderMap, name: &HeaderName) -> Either<String, Vec<String>> {
    let latin_1 = |value: &HeaderValue| value.as_bytes().iter().copied().map(char::from).collect();
    let texts: Vec<String> = headers.get_all(name).iter().map(latin_1).collect();
    <[String; 1]>::try_from(texts).map_or_else(Either::B, |[only]| Either::A(only))
}
