//! The actix door, compared with the axum door and alone.

mod agreement;
mod dpop;
mod extractors;
mod middleware;
mod sockets;
mod waiting;

use actix_web::{
    body::{MessageBody, to_bytes},
    dev::ServiceResponse,
    test::TestRequest,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use portcullis::OptionalClaims;

use crate::support::Answer;

/// Answers with the token's subject.
async fn who(OptionalClaims(claims): OptionalClaims) -> String {
    claims.as_ref().and_then(|claims| claims.subject()).unwrap_or("anonymous").to_owned()
}

/// The answer of an application to `GET` of this path, with these fields.
///
/// A macro, since actix-web does not name the type of requests that an application takes.
macro_rules! answer {
    ($app:expr, $fields:expr) => {
        $crate::actix::answer!($app, "/", $fields)
    };
    ($app:expr, $path:expr, $fields:expr) => {{
        let app = actix_web::test::init_service($app).await;
        let request = $crate::actix::request($path, $fields).to_request();
        $crate::actix::read(actix_web::test::call_service(&app, request).await).await
    }};
}
pub(crate) use answer;

pub(crate) fn request(path: &str, fields: &[(&str, &str)]) -> TestRequest {
    fields.iter().fold(TestRequest::with_uri(path), |request, field| request.append_header(*field))
}

pub(crate) async fn read<B: MessageBody>(response: ServiceResponse<B>) -> Answer {
    let status = StatusCode::from_u16(response.status().as_u16()).unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in response.headers() {
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let Ok(body) = to_bytes(response.into_body()).await else { panic!("no body") };
    Answer { status, headers, body: String::from_utf8(body.to_vec()).unwrap() }
}
