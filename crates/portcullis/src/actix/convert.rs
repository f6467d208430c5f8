//! Conversions between actix-web 4's types of http 0.2 and those of http 1.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderMap},
    },
};
use bytes::Bytes;
use http::{HeaderName, Response, header::AUTHORIZATION};

use crate::bearer::HeaderFields;

impl HeaderFields for HeaderMap {
    fn each<'a>(&'a self, name: &HeaderName, visit: &mut dyn FnMut(&'a [u8])) {
        let values = match *name {
            AUTHORIZATION => self.get_all(header::AUTHORIZATION),
            _ => self.get_all(name.as_str()),
        };
        values.map(header::HeaderValue::as_bytes).for_each(visit);
    }
}

pub(super) fn value(value: &http::HeaderValue) -> Option<header::HeaderValue> {
    header::HeaderValue::from_bytes(value.as_bytes()).ok()
}

pub(super) fn status(status: http::StatusCode) -> StatusCode {
    StatusCode::from_u16(status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Returns the same response; a header field that actix-web does not take makes it 500.
pub(super) fn response(response: Response<Bytes>) -> HttpResponse {
    let (parts, body) = response.into_parts();
    let mut builder = HttpResponse::build(status(parts.status));
    for (name, value) in &parts.headers {
        builder.append_header((name.as_str(), value.as_bytes()));
    }
    builder.body(body)
}
