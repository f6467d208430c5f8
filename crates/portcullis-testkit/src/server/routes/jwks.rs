use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::Shared;
use crate::encoding::base64url;
use crate::sync::lock;

/// `GET /jwks` (RFC 7517 section 5), with validation by entity tag (RFC 9110 section 13.1.2).
pub(super) async fn publish(State(server): Shared, request: HeaderMap) -> Response {
    let body = lock(&server.keys).document().to_string();
    let mut headers = HeaderMap::new();
    if let Some(max_age) = server.settings.jwks_max_age {
        insert(&mut headers, CACHE_CONTROL, &max_age_directive(max_age));
    }
    if server.settings.etag {
        let tag = entity_tag(&body);
        insert(&mut headers, ETAG, &tag);
        if matches(&request, &tag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
    }
    insert(&mut headers, CONTENT_TYPE, "application/jwk-set+json");
    (headers, body).into_response()
}

fn max_age_directive(max_age: std::time::Duration) -> String {
    format!("max-age={}", max_age.as_secs())
}

fn entity_tag(body: &str) -> String {
    let hash = digest(&SHA256, body.as_bytes());
    format!("\"{}\"", base64url(hash))
}

fn matches(request: &HeaderMap, tag: &str) -> bool {
    let fields = request.get_all(IF_NONE_MATCH).into_iter();
    let mut candidates = fields
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','))
        .map(|candidate| candidate.trim().trim_start_matches("W/"));
    candidates.any(|candidate| candidate == tag || candidate == "*")
}

fn insert(headers: &mut HeaderMap, name: axum::http::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
