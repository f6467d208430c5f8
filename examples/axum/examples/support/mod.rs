//! Helpers of the examples' tests.

use axum::{Router, body::Body};
use http_body_util::BodyExt;
use tower::ServiceExt;

/// The status and the body of `GET path` with this token, or without a token if it is empty.
pub(crate) async fn get(app: &Router, path: &str, token: &str) -> Result<(u16, String), Box<dyn std::error::Error>> {
    let mut request = axum::http::Request::get(path);
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = app.clone().oneshot(request.body(Body::empty())?).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    Ok((status, String::from_utf8(body.to_vec())?))
}
