//! What a handler can ask for.

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::AccessRejection;
use crate::{
    claims::Claims,
    policy::Access,
    refusal::{ConfigurationFault, Refusal, RequestFault},
    tower::Verdict,
};

/// Refused with 500 without a layer, and with 401 if an optional layer let the request pass without credentials.
impl<S: Send + Sync> FromRequestParts<S> for Access {
    type Rejection = AccessRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, AccessRejection> {
        let verdict = verdict(parts)?;
        verdict.access.cloned().ok_or_else(|| anonymous(&verdict))
    }
}

/// Refused as [`Access`] is, and if the claims do not fit `T`.
impl<S: Send + Sync, T: DeserializeOwned + Send + Sync + 'static> FromRequestParts<S> for Claims<T> {
    type Rejection = AccessRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, AccessRejection> {
        let verdict = verdict(parts)?;
        match verdict.access {
            Some(access) => typed(&verdict, access),
            None => Err(anonymous(&verdict)),
        }
    }
}

/// None if an optional layer let the request pass without credentials; refused if the claims do not fit `T`.
impl<S: Send + Sync, T: DeserializeOwned + Send + Sync + 'static> OptionalFromRequestParts<S> for Claims<T> {
    type Rejection = AccessRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, AccessRejection> {
        let verdict = verdict(parts)?;
        verdict.access.map(|access| typed(&verdict, access)).transpose()
    }
}

fn verdict(parts: &Parts) -> Result<Verdict<'_>, AccessRejection> {
    let missing = Refusal::Configuration(ConfigurationFault::MissingLayer);
    Verdict::find(&parts.extensions).ok_or_else(|| AccessRejection::without_layer(missing))
}

fn typed<T: DeserializeOwned + Send + Sync + 'static>(
    verdict: &Verdict<'_>,
    access: &Access,
) -> Result<Claims<T>, AccessRejection> {
    access.token().typed().map_err(|refusal| rejection(verdict, refusal))
}

fn anonymous(verdict: &Verdict<'_>) -> AccessRejection {
    rejection(verdict, Refusal::Request(RequestFault::NoCredentials))
}

fn rejection(verdict: &Verdict<'_>, refusal: Refusal) -> AccessRejection {
    AccessRejection::new(refusal, verdict.challenge.clone())
}
