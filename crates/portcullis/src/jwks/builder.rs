//! Building a [`JwksService`] for an endpoint or an issuer.

use std::{sync::Arc, time::Duration};

use super::{
    cache::{AnyJwksCache, InMemoryCache, JwksCache},
    endpoint::{Endpoint, Issuer},
    refresher::{Refresher, Settings},
    service::JwksService,
};
use crate::{
    ConfigurationError,
    clock::{Clock, SystemClock},
    transport::{AnyHttpClient, HttpClient, Transport, default_client},
};

/// Builds a [`JwksService`].
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use portcullis::JwksService;
///
/// let jwks = JwksService::builder("https://as.example.com/jwks")
///     .timeout(Duration::from_secs(2))
///     .max_stale(Duration::from_secs(60 * 60))
///     .build()?;
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct JwksBuilder {
    location: Location,
    transport: Transport,
    cache: Arc<dyn AnyJwksCache>,
    client: Option<Arc<dyn AnyHttpClient>>,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    max_age: Duration,
    max_stale: Duration,
}

enum Location {
    Uri(String),
    Issuer(String),
}

impl JwksBuilder {
    pub(super) fn for_uri(uri: &str) -> Self {
        Self::new(Location::Uri(uri.to_owned()))
    }

    pub(super) fn for_issuer(issuer: &str) -> Self {
        Self::new(Location::Issuer(issuer.to_owned()))
    }

    fn new(location: Location) -> Self {
        Self {
            location,
            transport: Transport::Secure,
            cache: Arc::new(InMemoryCache::default()),
            client: None,
            clock: Arc::new(SystemClock),
            timeout: Duration::from_secs(5),
            max_age: Duration::from_secs(5 * 60),
            max_stale: Duration::from_secs(24 * 60 * 60),
        }
    }

    /// Keeps the fetched set there, too; in memory by default.
    pub fn cache(self, cache: impl JwksCache) -> Self {
        Self { cache: Arc::new(cache), ..self }
    }

    /// Fetches with this client; with [`ReqwestClient`](crate::ReqwestClient) by default.
    pub fn http_client(self, client: impl HttpClient) -> Self {
        Self { client: Some(Arc::new(client)), ..self }
    }

    /// Measures ages by this clock, and judges tokens by it unless the verifier has its own.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// How long a fetch may take from start to end, 5 s by default: no request waits longer for keys.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// How old a set may become where the endpoint does not say (`Cache-Control: max-age`), 5 min by
    /// default. It is refreshed ahead of that age.
    pub fn max_age(self, max_age: Duration) -> Self {
        Self { max_age, ..self }
    }

    /// How long a set is used while the endpoint is down, 24 h by default; after that requests get 503.
    pub fn max_stale(self, max_stale: Duration) -> Self {
        Self { max_stale, ..self }
    }

    /// Fetches over plain http from other machines, too: whoever sits between can then sign tokens.
    pub fn dangerously_allow_http(self) -> Self {
        Self { transport: Transport::AnyHttp, ..self }
    }

    /// Builds the service. It fetches nothing until the first token, or [`JwksService::prefetch`].
    ///
    /// # Errors
    ///
    /// A [`ConfigurationError`] if the URL is not one, or is neither https nor on this machine, or if
    /// the HTTP client cannot be built.
    pub fn build(self) -> Result<JwksService, ConfigurationError> {
        let endpoint = match self.location {
            Location::Uri(uri) => Endpoint::Fixed(self.transport.url(&uri)?),
            Location::Issuer(identifier) => {
                let url = self.transport.url(&identifier)?;
                Endpoint::Discovered(Issuer { identifier, url })
            }
        };
        let client = match self.client {
            Some(client) => client,
            None => default_client(endpoint.is_on_this_machine())?,
        };
        let settings = Settings {
            endpoint,
            transport: self.transport,
            cache: self.cache,
            client,
            clock: self.clock,
            timeout: self.timeout,
            max_age: self.max_age,
            max_stale: self.max_stale,
        };
        Ok(JwksService::remote(Refresher::new(settings)))
    }
}

impl std::fmt::Debug for JwksBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JwksBuilder").finish_non_exhaustive()
    }
}
