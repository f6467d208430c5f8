//! The extractors, each by the [`Guarded`] of its request.

use ::axum::{
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::{
    claims::Claims,
    gate::{Access, AccessRejection, Granted, Guarded, RequiredScope},
};

/// Answers 500 without a layer, and 401 if an optional layer let the request pass without credentials.
impl<S: Send + Sync> FromRequestParts<S> for Access {
    type Rejection = AccessRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, AccessRejection> {
        guarded(parts)?.access().cloned()
    }
}

/// Refuses like [`Access`], and claims that do not fit `T`.
impl<S: Send + Sync, T: DeserializeOwned + Send + Sync + 'static> FromRequestParts<S> for Claims<T> {
    type Rejection = AccessRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, AccessRejection> {
        guarded(parts)?.claims()
    }
}

/// None if an optional layer let the request pass without credentials. Refuses claims that do not fit `T`.
impl<S: Send + Sync, T: DeserializeOwned + Send + Sync + 'static> OptionalFromRequestParts<S> for Claims<T> {
    type Rejection = AccessRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, AccessRejection> {
        guarded(parts)?.optional_claims()
    }
}

/// Refuses like [`Access`], and tokens that do not grant the scope.
impl<State: Send + Sync, S: RequiredScope> FromRequestParts<State> for Granted<S> {
    type Rejection = AccessRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &State) -> Result<Self, AccessRejection> {
        guarded(parts)?.granted()
    }
}

impl IntoResponse for AccessRejection {
    fn into_response(self) -> Response {
        self.answer().map(Body::from)
    }
}

fn guarded(parts: &Parts) -> Result<Guarded<'_>, AccessRejection> {
    Guarded::of(parts.extensions.get(), || parts.extensions.get())
}
