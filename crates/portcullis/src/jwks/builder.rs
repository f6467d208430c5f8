//! Building a [`JwksService`] for an endpoint or an issuer.

use std::{path::PathBuf, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{
    cache::{AnyJwksCache, InMemoryCache, JwksCache},
    endpoint::{Endpoint, Issuer},
    fetch::{Credentials, Server},
    refresher::{Refresher, Settings},
    service::JwksService,
};
use crate::{
    clock::{Clock, SystemClock},
    configuration_error::ConfigurationError,
    keys::{ImportRules, Origin},
    transport::{AnyHttpClient, Authorities, HttpClient, Transport},
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
    max_document_bytes: usize,
    max_keys: usize,
    key_uses: Vec<String>,
    authorities: Authorities,
    fields: Vec<(String, String)>,
    bearer_token_file: Option<PathBuf>,
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
            max_document_bytes: 512 * 1024,
            max_keys: 1_000,
            key_uses: Vec::new(),
            authorities: Authorities::Machine,
            fields: Vec::new(),
            bearer_token_file: None,
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

    /// Gives a fetch this time from start to end, 5 s by default: no request waits longer for keys. A slow endpoint
    /// needs more.
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

    /// The longest document that is read, a key set or metadata: 512 KiB by default.
    pub fn max_document_bytes(self, max_document_bytes: usize) -> Self {
        Self { max_document_bytes, ..self }
    }

    /// Takes sets of so many keys at most, usable or not: 1,000 by default. A larger set counts as an outage.
    pub fn max_keys(self, max_keys: usize) -> Self {
        Self { max_keys, ..self }
    }

    /// Takes keys of these uses (`use`), too, beside those for `sig` and those that do not say.
    ///
    /// A SPIFFE bundle has `jwt-svid`, for one. Keys for `enc` are never used.
    ///
    /// ```
    /// use portcullis::JwksService;
    ///
    /// let bundle = JwksService::builder("https://spire.example.org/bundle").key_uses(["jwt-svid"]).build()?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn key_uses<T: Into<String>>(self, key_uses: impl IntoIterator<Item = T>) -> Self {
        Self { key_uses: key_uses.into_iter().map(Into::into).collect(), ..self }
    }

    /// Trusts the certificate authorities of this file, PEM, beside the machine's own.
    ///
    /// It is for the default client: one of your own trusts whom you tell it.
    ///
    /// In a Kubernetes pod the issuer's keys are had by
    ///
    /// ```no_run
    /// use portcullis::JwksService;
    ///
    /// let mounted = "/var/run/secrets/kubernetes.io/serviceaccount";
    /// let jwks = JwksService::builder("https://kubernetes.default.svc/openid/v1/jwks")
    ///     .ca_file(format!("{mounted}/ca.crt"))
    ///     .bearer_token_file(format!("{mounted}/token"))
    ///     .build()?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn ca_file(self, path: impl Into<PathBuf>) -> Self {
        Self { authorities: Authorities::AndOfFile(path.into()), ..self }
    }

    /// The same, from PEM text.
    pub fn ca_pem(self, pem: impl Into<Vec<u8>>) -> Self {
        Self { authorities: Authorities::AndOfPem(pem.into()), ..self }
    }

    /// Shows the server the token of this file as `Authorization: Bearer`.
    ///
    /// The file is read for each request, so that a renewed token counts. The token is for the configured URL, the issuer's
    /// metadata and a `jwks_uri` of the same origin; another server is not shown it.
    pub fn bearer_token_file(self, path: impl Into<PathBuf>) -> Self {
        Self { bearer_token_file: Some(path.into()), ..self }
    }

    /// Sends this header field with each request, to the same servers as
    /// [`bearer_token_file`](Self::bearer_token_file); it takes the place of one that is sent anyway.
    ///
    /// ```
    /// use portcullis::JwksService;
    ///
    /// let jwks = JwksService::builder("https://as.example.com/jwks").header_field("x-api-key", "k-1").build()?;
    /// assert!(JwksService::builder("https://as.example.com/jwks").header_field("x y", "").build().is_err());
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn header_field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Fetches over plain http from other machines, too: whoever sits between can then sign tokens.
    pub fn dangerously_allow_http(self) -> Self {
        Self { transport: Transport::AnyHttp, ..self }
    }

    /// Builds the service. It fetches nothing until the first token, or [`JwksService::prefetch`].
    ///
    /// # Errors
    ///
    /// A [`ConfigurationError`] if the URL is not one, or is neither https nor on this machine; if a header field has no such
    /// name or value; if `ca_file` cannot be read, or stands beside a client of your own; or if the HTTP client cannot be built.
    pub fn build(self) -> Result<JwksService, ConfigurationError> {
        let endpoint = match self.location {
            Location::Uri(uri) => Endpoint::Fixed(self.transport.url(&uri)?),
            Location::Issuer(identifier) => {
                let url = self.transport.url(&identifier)?;
                Endpoint::Discovered(Issuer { identifier, url })
            }
        };
        let direct = endpoint.is_on_this_machine();
        let client = self.authorities.client(self.client, direct)?;
        let credentials = Credentials { fields: header_map(&self.fields)?, bearer_token_file: self.bearer_token_file };
        let settings = Settings {
            endpoint,
            transport: self.transport,
            cache: self.cache,
            server: Server { client, credentials, max_document_bytes: self.max_document_bytes },
            clock: self.clock,
            timeout: self.timeout,
            max_age: self.max_age,
            max_stale: self.max_stale,
            import: ImportRules { origin: Origin::Remote, uses: self.key_uses },
            max_keys: self.max_keys,
        };
        Ok(JwksService::remote(Refresher::new(settings)))
    }
}

fn header_map(fields: &[(String, String)]) -> Result<HeaderMap, ConfigurationError> {
    let field = |(name, value): &(String, String)| {
        let mut parsed = HeaderValue::try_from(value).ok()?;
        // It may be a key or a password.
        parsed.set_sensitive(true);
        Some((HeaderName::try_from(name).ok()?, parsed))
    };
    let named = |given: &(String, String)| ConfigurationError::HeaderField { name: given.0.clone() };
    fields.iter().map(|given| field(given).ok_or_else(|| named(given))).collect()
}

impl std::fmt::Debug for JwksBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JwksBuilder").finish_non_exhaustive()
    }
}
