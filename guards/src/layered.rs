//! A request at the tower layer, with a handler behind it that reads the typed claims.

use std::{
    convert::Infallible,
    future::{Ready, ready},
};

use http::{HeaderValue, Request, Response, StatusCode, header};
use portcullis::{Access, Secure, SecureService};
use tower::{Layer, Service, util::ServiceFn};

use crate::case::{Typed, at_once};

type Answer = Ready<Result<Response<()>, Infallible>>;
type Handler = ServiceFn<fn(Request<()>) -> Answer>;

/// The layer, and the `Authorization` field of the requests.
pub(crate) struct Layered {
    service: SecureService<Handler>,
    field: HeaderValue,
}

/// Marks a request, as servers do: so its extensions are not empty.
#[derive(Clone)]
struct Mark;

impl Layered {
    pub(crate) fn new(secure: &Secure, field: HeaderValue) -> Self {
        Self { service: secure.layer(tower::service_fn(handle)), field }
    }

    /// Tells whether a request passes; the service is cloned for it, as axum does.
    pub(crate) fn passes(&self) -> bool {
        let answer = at_once(self.service.clone().call(self.request()));
        matches!(answer, Some(Ok(answer)) if answer.status() == StatusCode::OK)
    }

    fn request(&self) -> Request<()> {
        let mut request = Request::new(());
        let fields = request.headers_mut();
        fields.insert(header::HOST, HeaderValue::from_static("api.example.com"));
        fields.insert(header::USER_AGENT, HeaderValue::from_static("guards"));
        fields.insert(header::AUTHORIZATION, self.field.clone());
        request.extensions_mut().insert(Mark);
        request
    }
}

#[expect(clippy::needless_pass_by_value, reason = "a service takes its requests by value")]
fn handle(request: Request<()>) -> Answer {
    let typed = request.extensions().get::<Access>().and_then(|access| access.token().typed::<Typed>().ok());
    let mut answer = Response::new(());
    if std::hint::black_box(typed).is_none() {
        *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    }
    ready(Ok(answer))
}
