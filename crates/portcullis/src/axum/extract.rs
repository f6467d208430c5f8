//! What a handler can ask for.

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::AccessRejection;
use crate::{
    Access, Claims,
    refusal::{ConfigurationFault, Refusal, RequestFault},
    tower::Admission,
};

/// Refused with 500 without a layer, and with 401 if an optional layer let the request pass without credentials.
impl<S: Send + Sync> FromRequestParts<S> for Access {
    type Rejection = AccessRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, AccessRejection> {
        let admission = admission(parts)?;
        let anonymous = || rejection(admission, Refusal::Request(RequestFault::NoCredentials));
        admission.access().cloned().ok_or_else(anonymous)
    }
}

/// Refused as [`Access`] is, and if the claims do not fit `T`.
impl<S: Send + Sync, T: DeserializeOwned + Send + Sync + 'static> FromRequestParts<S> for Claims<T> {
    type Rejection = AccessRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, AccessRejection> {
        let admission = admission(parts)?;
        match admission.access() {
            Some(access) => typed(admission, access),
            None => Err(rejection(admission, Refusal::Request(RequestFault::NoCredentials))),
        }
    }
}

/// None if an optional layer let the request pass without credentials; refused if the claims do not fit `T`.
impl<S: Send + Sync, T: DeserializeOwned + Send + Sync + 'static> OptionalFromRequestParts<S> for Claims<T> {
    type Rejection = AccessRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, AccessRejection> {
        let admission = admission(parts)?;
        admission.access().map(|access| typed(admission, access)).transpose()
    }
}

fn admission(parts: &Parts) -> Result<&Admission, AccessRejection> {
    let missing = Refusal::Configuration(ConfigurationFault::MissingLayer);
    parts.extensions.get().ok_or_else(|| AccessRejection::without_layer(missing))
}

fn typed<T: DeserializeOwned + Send + Sync + 'static>(
    admission: &Admission,
    access: &Access,
) -> Result<Claims<T>, AccessRejection> {
    access.token().typed().map_err(|refusal| rejection(admission, refusal))
}

fn rejection(admission: &Admission, refusal: Refusal) -> AccessRejection {
    AccessRejection::new(refusal, admission.challenge().clone())
}
