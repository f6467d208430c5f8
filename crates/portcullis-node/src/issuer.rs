//! An issuer: [`Issuer`].

use napi::Result;
use napi_derive::napi;
use portcullis::{JwksService, Verifier, VerifierBuilder};

use crate::{clock::Clock, introspector::Introspector, key_service::KeyService, options};

/// An issuer: its keys, the rules for its tokens, and the introspection of its opaque ones.
#[napi]
pub struct Issuer {
    jwks: JwksService,
    /// The clock of a test.
    pub(crate) clock: Option<Clock>,
    rules: String,
    introspector: Option<portcullis::Introspector>,
    any_keys: bool,
}

#[napi]
impl Issuer {
    /// Makes an issuer; the rules are `IssuerRules`. With `any_keys`, keys that are for none of its algorithms are no error.
    #[napi(constructor)]
    pub fn new(keys: &KeyService, rules: String, introspector: Option<&Introspector>, any_keys: Option<bool>) -> Self {
        let introspector = introspector.map(|introspector| introspector.introspector.clone());
        let any_keys = any_keys.unwrap_or(false);
        Self { jwks: keys.jwks.clone(), clock: keys.clock.clone(), rules, introspector, any_keys }
    }
}

impl Issuer {
    /// Returns the builder of a verifier of its tokens.
    ///
    /// # Errors
    ///
    /// The error of its rules, which names the option.
    pub(crate) fn builder(&self) -> Result<VerifierBuilder> {
        let builder = Verifier::builder(self.jwks.clone()).rules(options::read(&self.rules)?);
        let builder = if self.any_keys { builder.with_any_keys() } else { builder };
        let builder = match &self.clock {
            Some(clock) => builder.clock(clock.shared()),
            None => builder,
        };
        Ok(match &self.introspector {
            Some(introspector) => builder.introspection(introspector.clone()),
            None => builder,
        })
    }
}
