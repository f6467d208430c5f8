//! The word of the gate to a handler: [`Guarded`], from which each door makes its extractors.

mod granted;
mod rejection;

pub use granted::{Granted, RequiredScope};
pub use rejection::AccessRejection;

use serde::de::DeserializeOwned;

use super::{Access, Anonymous};
use crate::{
    challenge::Challenge,
    claims::Claims,
    refusal::{ConfigurationFault, Refusal, RequestFault},
};

/// The evidence that a layer or middleware left in the extensions of a request.
pub(crate) struct Guarded<'a> {
    challenge: &'a Challenge,
    access: Option<&'a Access>,
}

impl<'a> Guarded<'a> {
    /// Takes the evidence from the extensions, wherever a framework keeps them.
    ///
    /// # Errors
    ///
    /// Answers 500 if there is none: a missing layer is our mistake, and never lets a request pass.
    pub(crate) fn of(access: Option<&'a Access>, anonymous: Option<&'a Anonymous>) -> Result<Self, AccessRejection> {
        let gate = access.map(Access::gate).or(anonymous.map(Anonymous::gate));
        let missing = || Refusal::Configuration(ConfigurationFault::MissingLayer);
        let gate = gate.ok_or_else(|| AccessRejection::new(missing(), Challenge::default()))?;
        Ok(Self { challenge: &gate.challenge, access })
    }

    /// Returns the access, refused if the request has no credentials.
    pub(crate) fn access(&self) -> Result<&'a Access, AccessRejection> {
        self.access.ok_or_else(|| self.refuse(Refusal::Request(RequestFault::NoCredentials)))
    }

    /// Returns the claims, refused as [`access`](Self::access) is, and if they do not fit `T`.
    pub(crate) fn claims<T>(&self) -> Result<Claims<T>, AccessRejection>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        self.access()?.token().typed().map_err(|refusal| self.refuse(refusal))
    }

    /// Returns the claims, none if the request has no credentials; refused if they do not fit `T`.
    pub(crate) fn optional_claims<T>(&self) -> Result<Option<Claims<T>>, AccessRejection>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        self.access.map(|_| self.claims()).transpose()
    }

    /// Refuses as the layer or middleware does.
    fn refuse(&self, refusal: Refusal) -> AccessRejection {
        AccessRejection::new(refusal, self.challenge.clone())
    }
}
