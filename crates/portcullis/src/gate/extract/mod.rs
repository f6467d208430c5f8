//! The gate's verdict before a handler: [`Guarded`], from which each door makes its extractors.

mod granted;

pub use granted::{Granted, RequiredScope};

use serde::de::DeserializeOwned;

use super::{Access, AccessRejection, Anonymous};
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
    /// Takes the evidence from the extensions of any framework.
    ///
    /// # Errors
    ///
    /// A rejection with status 500 if there is none: a missing layer is the server's mistake, and lets no request pass.
    pub(crate) fn of(
        access: Option<&'a Access>,
        anonymous: impl FnOnce() -> Option<&'a Anonymous>,
    ) -> Result<Self, AccessRejection> {
        let gate = access.map(Access::gate).or_else(|| anonymous().map(Anonymous::gate));
        let missing = || Refusal::Configuration(ConfigurationFault::MissingLayer);
        let gate = gate.ok_or_else(|| AccessRejection::new(missing(), Challenge::default()))?;
        Ok(Self { challenge: &gate.challenge, access })
    }

    /// Returns the access; refuses a request without credentials.
    pub(crate) fn access(&self) -> Result<&'a Access, AccessRejection> {
        self.access.ok_or_else(|| self.refuse(Refusal::Request(RequestFault::NoCredentials)))
    }

    /// Returns the claims; refuses like [`access`](Self::access), and claims that do not fit `T`.
    pub(crate) fn claims<T>(&self) -> Result<Claims<T>, AccessRejection>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        self.access()?.token().typed().map_err(|refusal| self.refuse(refusal))
    }

    /// Returns the claims, none without credentials; refuses claims that do not fit `T`.
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
