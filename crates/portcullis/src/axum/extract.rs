//! What a handler can ask for.

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::AccessRejection;
use crate::{
    claims::Claims,
    gate::{Access, Guarded},
    refusal::{ConfigurationFault, Refusal, RequestFault},
};

/// Refused with 500 without a layer, and with 401 if an optional layer let the request pass without credentials.
impl<S: Send + Sync> FromRequestParts<S> for Access {
    type Rejection = AccessRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, AccessRejection> {
        let guarded = guarded(parts)?;
        guarded.access.cloned().ok_or_else(|| anonymous(&guarded))
    }
}

/// Refused as [`Access`] is, and if the claims do not fit `T`.
impl<S: Send + Sync, T: DeserializeOwned + Send + Sync + 'static> FromRequestParts<S> for Claims<T> {
    type Rejection = AccessRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, AccessRejection> {
        let guarded = guarded(parts)?;
        match guarded.access {
            Some(access) => typed(&guarded, access),
            None => Err(anonymous(&guarded)),
        }
    }
}

/// None if an optional layer let the request pass without credentials; refused if the claims do not fit `T`.
impl<S: Send + Sync, T: DeserializeOwned + Send + Sync + 'static> OptionalFromRequestParts<S> for Claims<T> {
    type Rejection = AccessRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, AccessRejection> {
        let guarded = guarded(parts)?;
        guarded.access.map(|access| typed(&guarded, access)).transpose()
    }
}

pub(super) fn guarded(parts: &Parts) -> Result<Guarded<'_>, AccessRejection> {
    let missing = Refusal::Configuration(ConfigurationFault::MissingLayer);
    Guarded::find(&parts.extensions).ok_or_else(|| AccessRejection::without_layer(missing))
}

fn typed<T: DeserializeOwned + Send + Sync + 'static>(
    guarded: &Guarded<'_>,
    access: &Access,
) -> Result<Claims<T>, AccessRejection> {
    access.token().typed().map_err(|refusal| rejection(guarded, refusal))
}

pub(super) fn anonymous(guarded: &Guarded<'_>) -> AccessRejection {
    rejection(guarded, Refusal::Request(RequestFault::NoCredentials))
}

pub(super) fn rejection(guarded: &Guarded<'_>, refusal: Refusal) -> AccessRejection {
    AccessRejection::new(refusal, guarded.challenge.clone())
}
