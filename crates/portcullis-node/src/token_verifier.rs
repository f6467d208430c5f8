//! The verifier of tokens: [`TokenVerifier`].

use std::collections::HashMap;

use napi::{
    Env, Result,
    bindgen_prelude::{Either, ObjectFinalize},
};
use napi_derive::napi;
use portcullis::{ProtectedResource, Secure, Verifier, VerifierBuilder};

use crate::{
    clock::Clock,
    introspector::Introspector,
    issuer::Issuer,
    options::{self, unusable},
    refused::readable,
};

/// The approximate bytes of a new verifier. Node gets this number, so that it collects unused verifiers in time.
const BYTES: i64 = 16 * 1024;

/// Verifies tokens and caches verified ones.
#[napi(custom_finalize)]
pub struct TokenVerifier {
    /// A layer without rules, from which those of endpoints are made.
    pub(crate) secure: Secure,
    /// The clock of a test, of the first issuer that has one.
    pub(crate) clock: Option<Clock>,
}

/// A response to a request for the document of a resource.
#[napi(object, object_from_js = false)]
pub struct MetadataResponse {
    /// 200, 204 or 405.
    pub status: u16,
    /// The response's fields, by lower-case names.
    pub headers: HashMap<String, Either<String, Vec<String>>>,
    /// The response's body: the document, or nothing.
    pub body: String,
}

#[napi]
impl TokenVerifier {
    /// Makes a verifier for one issuer.
    #[napi(constructor)]
    pub fn new(env: Env, issuer: &Issuer) -> Result<Self> {
        let verifier = issuer.builder()?.build().map_err(unusable)?;
        Self::told_of(env, Secure::new(verifier), &[issuer])
    }

    /// Makes a verifier for the opaque tokens that an authorization server vouches for.
    #[napi(factory)]
    pub fn of_introspector(env: Env, introspector: &Introspector) -> Result<Self> {
        Self::told_of(env, Secure::new(introspector.introspector.clone()), &[])
    }

    /// Makes a verifier for several issuers, each with its own keys and rules.
    #[napi(factory)]
    pub fn any_of(env: Env, issuers: Vec<&Issuer>) -> Result<Self> {
        let verifier = Verifier::any_of(builders(&issuers)?).map_err(unusable)?;
        Self::told_of(env, Secure::new(verifier), &issuers)
    }

    /// Makes a verifier for the tokens of these issuers for a resource; the description is `ResourceRules`, and `mcp` the `McpRules` of
    /// an MCP server.
    #[napi(factory)]
    pub fn of_resource(env: Env, description: String, mcp: Option<String>, issuers: Vec<&Issuer>) -> Result<Self> {
        let resource = ProtectedResource::default().rules(options::read(&description)?);
        let resource = match mcp {
            Some(rules) => resource.mcp(options::read(&rules)?),
            None => resource,
        };
        let resource = builders(&issuers)?.into_iter().fold(resource, ProtectedResource::issuer);
        Self::told_of(env, Secure::protecting(resource).map_err(unusable)?, &issuers)
    }

    /// Returns the response to a request for the resource's document, by method and path; null for any other request.
    #[napi]
    pub fn metadata(&self, method: String, path: String) -> Option<MetadataResponse> {
        let (parts, body) = self.secure.metadata_response(&method, &path)?.into_parts();
        Some(MetadataResponse {
            status: parts.status.as_u16(),
            headers: readable(&parts.headers),
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    /// Removes a token from the cache, so that it is verified again.
    #[napi]
    pub fn invalidate(&self, token: String) {
        self.secure.verifier().invalidate(&token);
    }
}

impl TokenVerifier {
    fn told_of(env: Env, secure: Secure, issuers: &[&Issuer]) -> Result<Self> {
        env.adjust_external_memory(BYTES)?;
        Ok(Self { secure, clock: issuers.iter().find_map(|issuer| issuer.clock.clone()) })
    }
}

impl ObjectFinalize for TokenVerifier {
    fn finalize(self, env: Env) -> Result<()> {
        env.adjust_external_memory(-BYTES).map(drop)
    }
}

fn builders(issuers: &[&Issuer]) -> Result<Vec<VerifierBuilder>> {
    issuers.iter().map(|issuer| issuer.builder()).collect()
}
