//! The verifier of tokens: [`TokenVerifier`].

use napi::{Env, Result, bindgen_prelude::ObjectFinalize};
use napi_derive::napi;
use portcullis::{JwksService, Verifier, VerifierBuilder};

use crate::{
    key_service::KeyService,
    options::{self, unusable},
};

/// The approximate bytes of a new verifier. Node gets this number, so that it collects unused verifiers in time.
const BYTES: i64 = 16 * 1024;

/// Verifies tokens and caches verified ones.
#[napi(custom_finalize)]
pub struct TokenVerifier {
    pub(crate) verifier: Verifier,
}

#[napi]
impl TokenVerifier {
    /// Makes a verifier for one issuer's keys; the options are `IssuerRules`.
    #[napi(constructor)]
    pub fn new(env: Env, keys: &KeyService, options: String) -> Result<Self> {
        Self::told_of(env, builder(keys.jwks.clone(), &options)?.build().map_err(unusable)?)
    }

    /// Makes a verifier for several issuers, each with its own keys and options.
    #[napi(factory)]
    pub fn any_of(env: Env, keys: Vec<&KeyService>, options: Vec<String>) -> Result<Self> {
        let builders: Result<Vec<_>> =
            keys.iter().zip(&options).map(|(keys, options)| builder(keys.jwks.clone(), options)).collect();
        Self::told_of(env, Verifier::any_of(builders?).map_err(unusable)?)
    }

    /// Removes a token from the cache, so that it is verified again.
    #[napi]
    pub fn invalidate(&self, token: String) {
        self.verifier.invalidate(&token);
    }
}

impl TokenVerifier {
    fn told_of(env: Env, verifier: Verifier) -> Result<Self> {
        env.adjust_external_memory(BYTES)?;
        Ok(Self { verifier })
    }
}

impl ObjectFinalize for TokenVerifier {
    fn finalize(self, env: Env) -> Result<()> {
        env.adjust_external_memory(-BYTES).map(drop)
    }
}

fn builder(jwks: JwksService, options: &str) -> Result<VerifierBuilder> {
    Ok(Verifier::builder(jwks).rules(options::read(options)?))
}
