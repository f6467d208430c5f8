//! What an endpoint asks of a request: [`Door`].

use napi::{Env, Result, bindgen_prelude::Unknown};
use napi_derive::napi;
use portcullis::{
    Refusal, Secure,
    refusal::{AccessFault, TokenFault, UnavailableFault},
};

use crate::{
    judge,
    options::{self, seconds, unusable},
    refused::Refused,
    token_verifier::TokenVerifier,
};

/// Judges requests by their `Authorization` field.
#[napi]
pub struct Door {
    secure: Secure,
}

#[napi]
impl Door {
    /// A door that asks for a token which this verifier accepts, and for what the options, which are `Rules`, name.
    #[napi(constructor)]
    pub fn new(verifier: &TokenVerifier, options: String) -> Result<Self> {
        let secure = Secure::new(verifier.verifier.clone());
        Ok(Self { secure: secure.rules(options::read(&options)?).map_err(unusable)? })
    }

    /// The verdict, here and now: a function `(authorization, several, verify)`.
    ///
    /// `several` says that the request has more than one field, `verify` that a new token may be verified here and now. It is no
    /// method, since a call of one costs JavaScript twice what a function does.
    #[napi(getter)]
    pub fn judge<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        judge::function(env, self.secure.clone())
    }

    /// The refusal of a token that lacks a claim, which a rule in JavaScript has found.
    #[napi]
    pub fn refuse_claim(&self, claim: String) -> Refused {
        Refused::new(&self.secure, &Refusal::Access(AccessFault::RequiredClaims { claim }))
    }

    /// The refusal of a token whose signature none of the keys verifies that were tried, of more than are.
    #[napi]
    pub fn refuse_too_many_keys(&self, limit: u32) -> Refused {
        let limit = limit as usize;
        Refused::new(&self.secure, &Refusal::Token(TokenFault::TooManyKeys { limit, actual: limit + 1 }))
    }

    /// The refusal of a request that was not judged, since a `getKey` in JavaScript has failed.
    #[napi]
    pub fn refuse_unjudged(&self, retry_after: f64) -> Result<Refused> {
        let retry_after = seconds("retryAfter", retry_after)?;
        Ok(Refused::new(&self.secure, &Refusal::Unavailable(UnavailableFault::Keys { retry_after })))
    }
}
