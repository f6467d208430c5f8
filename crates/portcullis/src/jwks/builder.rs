//! The builder of a [`JwksService`] for an endpoint or an issuer.

use std::{path::PathBuf, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{
    cache::{AnyJwksCache, InMemoryCache, JwksCache},
    endpoint::{Endpoint, Issuer},
    fetch::{Credentials, Server},
    refresher::{Refresher, Settings},
    service::JwksService,
    tenants::Tenants,
};
use crate::{
    clock::{Clock, SystemClock},
    configuration_error::ConfigurationError,
    issuer_spelling::issuer_of_document,
    issuer_template::IssuerTemplate,
    keys::{ImportRules, Origin},
    shown_url::marked,
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
    cache: Option<Arc<dyn AnyJwksCache>>,
    client: Option<Arc<dyn AnyHttpClient>>,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    max_age: Duration,
    max_stale: Duration,
    max_document_bytes: usize,
    max_keys: usize,
    max_tenants: usize,
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
            cache: None,
            client: None,
            clock: Arc::new(SystemClock),
            timeout: Duration::from_secs(5),
            max_age: Duration::from_secs(5 * 60),
            max_stale: Duration::from_secs(24 * 60 * 60),
            max_document_bytes: 512 * 1024,
            max_keys: 1_000,
            max_tenants: 1_000,
            key_uses: Vec::new(),
            authorities: Authorities::Machine,
            fields: Vec::new(),
            bearer_token_file: None,
        }
    }

    /// Keeps the fetched set in this cache, too; in memory by default.
    pub fn cache(self, cache: impl JwksCache) -> Self {
        Self { cache: Some(Arc::new(cache)), ..self }
    }

    /// Fetches with this client; with [`ReqwestClient`](crate::ReqwestClient) by default.
    pub fn http_client(self, client: impl HttpClient) -> Self {
        Self { client: Some(Arc::new(client)), ..self }
    }

    /// Measures ages by this clock. Tokens are judged by it, too, unless the verifier has its own.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use portcullis::{JwksService, Verifier};
    /// use portcullis_testkit::{AuthorizationServer, TestClock};
    ///
    /// let clock = TestClock::new();
    /// let server = AuthorizationServer::builder().clock(clock.clone()).start().await?;
    /// let jwks = JwksService::discover(server.issuer())
    ///     .clock({ let clock = clock.clone(); move || clock.now() })
    ///     .build()?;
    /// let verifier = Verifier::builder(jwks).issuer(server.issuer()).audience("https://api.example.com").build()?;
    ///
    /// let token = server.token().sign();
    /// assert!(verifier.verify(&token).await.is_ok());
    /// clock.advance(Duration::from_secs(400));
    /// assert_eq!(verifier.verify(&token).await.unwrap_err().code(), "expired");
    /// # Ok(()) }
    /// ```
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Limits the time of a fetch from start to end, 5 s by default, and so the wait of requests for keys. Raise it for a slow
    /// endpoint.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The age at which a set is refreshed if the endpoint does not send `Cache-Control: max-age`, 5 min by default. Refreshes
    /// begin a little ahead of it.
    pub fn max_age(self, max_age: Duration) -> Self {
        Self { max_age, ..self }
    }

    /// The longest use of a set while the endpoint is down, 24 h by default; after that requests get 503.
    pub fn max_stale(self, max_stale: Duration) -> Self {
        Self { max_stale, ..self }
    }

    /// The size of the largest accepted document (key set or metadata), in bytes: 512 KiB by default.
    pub fn max_document_bytes(self, max_document_bytes: usize) -> Self {
        Self { max_document_bytes, ..self }
    }

    /// Accepts sets of at most this many keys, usable or not: 1,000 by default. A larger set counts as an outage.
    pub fn max_keys(self, max_keys: usize) -> Self {
        Self { max_keys, ..self }
    }

    /// Keeps the keys of at most this many tenants, for an issuer with a placeholder: 1,000 by default, and at least one. Beyond it,
    /// the tenant that was not used for longest leaves.
    ///
    /// ```
    /// use portcullis::JwksService;
    ///
    /// let entra = "https://login.microsoftonline.com/{tenantid}/v2.0";
    /// let jwks = JwksService::discover(entra).max_tenants(5_000).build()?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn max_tenants(self, max_tenants: usize) -> Self {
        Self { max_tenants: max_tenants.max(1), ..self }
    }

    /// Accepts keys of these uses (`use`), too, beside keys for `sig` and keys without `use`.
    ///
    /// A SPIFFE bundle has `jwt-svid`, for example. Keys for `enc` are never used.
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
    /// This is for the default client: configure a client of your own yourself.
    ///
    /// In a Kubernetes pod, the cluster's keys are fetched by
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

    /// Sends the token in this file to the server, as `Authorization: Bearer`.
    ///
    /// The file is read for each request, so that the token can be renewed. The token is sent to the configured URL, to the
    /// issuer's metadata and to a `jwks_uri` of the same origin, and to no other server.
    pub fn bearer_token_file(self, path: impl Into<PathBuf>) -> Self {
        Self { bearer_token_file: Some(path.into()), ..self }
    }

    /// Sends this header field with each request, to the same servers as
    /// [`bearer_token_file`](Self::bearer_token_file); it replaces a default field of the same name.
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

    /// Fetches over plain http from other machines, too: an attacker on the network can then sign tokens.
    pub fn dangerously_allow_http(self) -> Self {
        Self { transport: Transport::AnyHttp, ..self }
    }

    /// Builds the service. It fetches nothing until the first token, or [`JwksService::prefetch`].
    ///
    /// # Errors
    ///
    /// A [`ConfigurationError`] if the URL is malformed, or is neither https nor on this machine; if the issuer is the URL of its
    /// metadata; if a header field is malformed;
    /// if `ca_file` is unreadable, or set together with a client of your own; if a `cache` is set for an issuer with a placeholder,
    /// since it holds one set; or if the HTTP client cannot be built.
    pub fn build(self) -> Result<JwksService, ConfigurationError> {
        self.check_issuer()?;
        let template = self.template()?;
        let endpoint = match self.location {
            Location::Uri(uri) => Endpoint::Fixed(self.transport.url(&uri)?),
            Location::Issuer(identifier) => {
                let url = self.transport.url(&identifier)?;
                Endpoint::Discovered(Issuer { identifier, url })
            }
        };
        let client = self.authorities.client(self.client, endpoint.destination())?;
        let credentials = Credentials { fields: header_map(&self.fields)?, bearer_token_file: self.bearer_token_file };
        let settings = Settings {
            endpoint,
            transport: self.transport,
            cache: self.cache.unwrap_or_else(|| Arc::new(InMemoryCache::default())),
            server: Server { client, credentials, max_document_bytes: self.max_document_bytes },
            clock: self.clock,
            timeout: self.timeout,
            max_age: self.max_age,
            max_stale: self.max_stale,
            import: ImportRules { origin: Origin::Remote, uses: self.key_uses },
            max_keys: self.max_keys,
        };
        Ok(match template {
            Some(template) => JwksService::of_tenants(Tenants::new(template, settings, self.max_tenants)),
            None => JwksService::remote(Refresher::new(settings)),
        })
    }

    /// Refuses the URL of metadata in place of the issuer: it would be asked for the metadata of its metadata.
    fn check_issuer(&self) -> Result<(), ConfigurationError> {
        let Location::Issuer(issuer) = &self.location else { return Ok(()) };
        issuer_of_document(issuer).map_or(Ok(()), |likely| {
            let problem = format!(
                "expected the issuer, got the URL of its metadata or keys: write `{}`, or the `iss` of its tokens to the letter",
                marked(&likely)
            );
            Err(ConfigurationError::rule("issuer", problem))
        })
    }

    /// The issuer, if it has a placeholder.
    fn template(&self) -> Result<Option<String>, ConfigurationError> {
        let Location::Issuer(issuer) = &self.location else { return Ok(None) };
        if !IssuerTemplate::is_meant(issuer) {
            return Ok(None);
        }
        IssuerTemplate::check(issuer).map_err(|problem| {
            let expected = "expected one placeholder as a segment of the path";
            ConfigurationError::rule("issuer", format!("{expected}, got {problem}"))
        })?;
        if self.cache.is_some() {
            let problem =
                "expected no `cache` with a placeholder in the issuer, got one: it would mix the keys of all tenants";
            return Err(ConfigurationError::rule("cache", problem));
        }
        Ok(Some(issuer.clone()))
    }
}

fn header_map(fields: &[(String, String)]) -> Result<HeaderMap, ConfigurationError> {
    let field = |(name, value): &(String, String)| {
        let mut parsed = HeaderValue::try_from(value).ok()?;
        // The value may be a key or a password.
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
