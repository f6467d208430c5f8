//! The extractors, each by the [`Guarded`] of its request.

use std::{
    fmt,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError, dev::Payload, http::StatusCode};
use serde::de::DeserializeOwned;

use super::convert;
use crate::{
    claims::Claims,
    gate::{Access, AccessRejection, Granted, Guarded, RequiredScope},
    json::Object,
};

/// The claims of a request that may come without credentials, as an extractor of actix-web.
///
/// None if the middleware is [optional](crate::Secure::optional) or [only reports](crate::Secure::report_only), and let the
/// request pass without credentials. It refuses with 500 without middleware, and as the middleware does if the claims do not fit `T`.
///
/// Do not use `Option<Claims>`: actix-web turns every refusal into `None`, so a handler without middleware would treat all
/// clients as anonymous.
///
/// # Example
///
/// ```
/// use actix_web::{App, web};
/// use portcullis::{JwksService, OptionalClaims, Secure};
///
/// async fn hello(OptionalClaims(claims): OptionalClaims) -> String {
///     format!("hello {}", claims.as_ref().and_then(|claims| claims.subject()).unwrap_or("stranger"))
/// }
///
/// let secure = Secure::new(JwksService::new("https://as.example.com/jwks")?).optional();
/// let app = move || App::new().wrap(secure.clone()).route("/", web::get().to(hello));
/// # let _ = app;
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
pub struct OptionalClaims<T = Object>(pub Option<Claims<T>>);

/// Answers 500 without middleware, and 401 if optional middleware let the request pass without credentials.
impl FromRequest for Access {
    type Error = AccessRejection;
    type Future = Ready<Result<Self, AccessRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        extract(request, |guarded| guarded.access().cloned())
    }
}

/// Refuses like [`Access`], and claims that do not fit `T`.
impl<T: DeserializeOwned + Send + Sync + 'static> FromRequest for Claims<T> {
    type Error = AccessRejection;
    type Future = Ready<Result<Self, AccessRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        extract(request, |guarded| guarded.claims())
    }
}

/// Answers 500 without middleware. Refuses claims that do not fit `T`.
impl<T: DeserializeOwned + Send + Sync + 'static> FromRequest for OptionalClaims<T> {
    type Error = AccessRejection;
    type Future = Ready<Result<Self, AccessRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        extract(request, |guarded| guarded.optional_claims().map(Self))
    }
}

/// Refuses like [`Access`], and tokens that do not grant the scope.
impl<S: RequiredScope> FromRequest for Granted<S> {
    type Error = AccessRejection;
    type Future = Ready<Result<Self, AccessRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        extract(request, |guarded| guarded.granted())
    }
}

/// The response of the middleware.
impl ResponseError for AccessRejection {
    fn status_code(&self) -> StatusCode {
        convert::status(self.response().status())
    }

    fn error_response(&self) -> HttpResponse {
        convert::response(self.answer())
    }
}

fn extract<T>(
    request: &HttpRequest,
    ask: impl FnOnce(Guarded<'_>) -> Result<T, AccessRejection>,
) -> Ready<Result<T, AccessRejection>> {
    let extensions = request.extensions();
    ready(Guarded::of(extensions.get(), || extensions.get()).and_then(ask))
}

impl<T> fmt::Debug for OptionalClaims<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OptionalClaims").field(&self.0).finish()
    }
}
