//! Keys: [`KeyService`].

use std::sync::Arc;

use napi::{
    Env, Error, Result,
    bindgen_prelude::{Function, Object, Uint8Array},
};
use napi_derive::napi;
use portcullis::{JwksBuilder, JwksError, JwksService};
use serde_json::json;

use crate::{
    clock::Clock,
    javascript::{JavaScript, JavaScriptCache, JavaScriptClient, Question},
    options::{self, KeyServiceOptions, seconds, unusable},
    runtime,
};

/// The keys of an issuer, or local keys.
#[napi]
pub struct KeyService {
    pub(crate) jwks: JwksService,
    /// The clock of a test.
    pub(crate) clock: Option<Clock>,
}

#[napi]
impl KeyService {
    /// The keys of a JWKS endpoint; `ask` fetches them, and caches them if `cached`; `clock` is that of a test.
    #[napi(factory)]
    pub fn at_uri(
        uri: String,
        options: String,
        ask: Function<'_, Question, ()>,
        cached: bool,
        clock: Option<&Clock>,
    ) -> Result<Self> {
        Self::fetched(JwksService::builder(&uri), &options, &ask, cached, clock)
    }

    /// The keys in an issuer's metadata.
    #[napi(factory)]
    pub fn of_issuer(
        issuer: String,
        options: String,
        ask: Function<'_, Question, ()>,
        cached: bool,
        clock: Option<&Clock>,
    ) -> Result<Self> {
        Self::fetched(JwksService::discover(&issuer), &options, &ask, cached, clock)
    }

    /// The keys of a text: a JWK Set, a JWK, PEM or its base64 alone; `uses` are accepted besides `sig`.
    #[napi(factory)]
    pub fn of_text(text: String, uses: Vec<String>) -> Result<Self> {
        Self::local(JwksService::from_text_for(&text, uses))
    }

    /// A shared secret.
    #[napi(factory)]
    pub fn of_secret(secret: Uint8Array) -> Result<Self> {
        Self::local(JwksService::from_secret(&secret))
    }

    /// No keys.
    #[napi(factory)]
    pub fn empty() -> Self {
        Self { jwks: JwksService::empty(), clock: None }
    }

    /// The same local keys, for tokens that are judged by the clock of a test.
    #[napi]
    pub fn by_clock(&self, clock: &Clock) -> Self {
        Self { jwks: self.jwks.clone(), clock: Some(clock.clone()) }
    }

    /// True if there are keys to verify with.
    #[napi(getter)]
    pub fn ready(&self) -> bool {
        self.jwks.ready()
    }

    /// The state of the service, as JSON.
    #[napi]
    pub fn status(&self) -> String {
        let status = self.jwks.status();
        let skipped: Vec<_> =
            status.skipped.iter().map(|key| json!({ "kid": key.kid, "problem": key.problem.to_string() })).collect();
        let warnings: Vec<_> =
            status.warnings.iter().map(|key| json!({ "kid": key.kid, "oddity": key.oddity.to_string() })).collect();
        json!({
            "source": status.source,
            "ready": self.jwks.ready(),
            "tenants": status.tenants,
            "keys": status.keys,
            "skipped": skipped,
            "warnings": warnings,
            "age": status.age.map(|age| age.as_secs_f64()),
            "nextRefresh": status.next_refresh.map(|next| next.as_secs_f64()),
            "failures": status.failures,
            "lastError": status.last_error,
        })
        .to_string()
    }

    /// Fetches the keys unless they are cached.
    #[napi]
    pub fn prefetch<'env>(&self, env: &'env Env) -> Result<Object<'env>> {
        let jwks = self.jwks.clone();
        runtime::promise(env, async move { jwks.prefetch().await.map_err(told) })
    }

    /// Fetches the keys now.
    #[napi]
    pub fn refresh<'env>(&self, env: &'env Env) -> Result<Object<'env>> {
        let jwks = self.jwks.clone();
        runtime::promise(env, async move { jwks.refresh().await.map_err(told) })
    }

    fn fetched(
        builder: JwksBuilder,
        options: &str,
        ask: &Function<'_, Question, ()>,
        cached: bool,
        clock: Option<&Clock>,
    ) -> Result<Self> {
        let options: KeyServiceOptions = options::read(options)?;
        let javascript = Arc::new(JavaScript::new(ask)?);
        let mut builder = builder.http_client(JavaScriptClient(Arc::clone(&javascript))).key_uses(options.key_uses);
        if cached {
            builder = builder.cache(JavaScriptCache(javascript));
        }
        if let Some(timeout) = options.timeout {
            builder = builder.timeout(seconds("timeout", timeout)?);
        }
        if let Some(max_age) = options.max_age {
            builder = builder.max_age(seconds("maxAge", max_age)?);
        }
        if let Some(max_stale) = options.max_stale {
            builder = builder.max_stale(seconds("maxStale", max_stale)?);
        }
        if let Some(max) = options.max_document_bytes {
            builder = builder.max_document_bytes(max);
        }
        if let Some(max) = options.max_keys {
            builder = builder.max_keys(max);
        }
        if let Some(max) = options.max_tenants {
            builder = builder.max_tenants(max);
        }
        if options.dangerously_allow_http {
            builder = builder.dangerously_allow_http();
        }
        if let Some(clock) = clock {
            builder = builder.clock(clock.shared());
        }
        Ok(Self { clock: clock.cloned(), ..Self::local(builder.build())? })
    }

    fn local(jwks: std::result::Result<JwksService, portcullis::ConfigurationError>) -> Result<Self> {
        Ok(Self { jwks: jwks.map_err(unusable)?, clock: None })
    }
}

fn told(error: JwksError) -> Error {
    Error::from_reason(error.to_string())
}
