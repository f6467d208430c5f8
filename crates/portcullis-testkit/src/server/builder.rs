use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use super::desk::Desks;
use super::keyring::KeyRing;
use super::listener::Port;
use super::registry::Registry;
use super::routes;
use super::state::{Client, Settings, State};
use super::transport::Transport;
use super::{AuthorizationServer, Handle};
use crate::algorithm::Algorithm;
use crate::clock::TestClock;
use crate::encoding::random_id;
use crate::provider::Provider;

/// The settings of an [`AuthorizationServer`] before it starts.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// use portcullis_testkit::{Algorithm, AuthorizationServer, TestClock};
///
/// let server = AuthorizationServer::builder()
///     .algorithms([Algorithm::ES256, Algorithm::EdDSA])
///     .clock(TestClock::new())
///     .path("/tenant1")
///     .start()
///     .await?;
/// assert!(server.issuer().ends_with("/tenant1"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is started"]
pub struct Builder {
    algorithms: Vec<Algorithm>,
    key_id_prefix: String,
    listen: String,
    issuer: Option<String>,
    #[cfg(feature = "tls")]
    tls: Option<crate::CertificateAuthority>,
    #[cfg(feature = "tls")]
    clients: Option<crate::CertificateAuthority>,
    /// True if the provider is served under its own host names.
    #[cfg(feature = "tls")]
    by_its_names: bool,
    settings: Settings,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            algorithms: vec![Algorithm::RS256],
            key_id_prefix: String::new(),
            listen: "127.0.0.1:0".into(),
            issuer: None,
            #[cfg(feature = "tls")]
            tls: None,
            #[cfg(feature = "tls")]
            clients: None,
            #[cfg(feature = "tls")]
            by_its_names: false,
            settings: Settings {
                path: String::new(),
                provider: None,
                clock: None,
                clients: Vec::new(),
                audience: "https://api.example.com".into(),
                jwks_max_age: None,
                etag: true,
                rotation_endpoint: false,
                openid_configuration: true,
                oauth_metadata: true,
                metadata_issuer: None,
                dpop_nonces: false,
                client_certificates: false,
            },
        }
    }

    /// Signs with this algorithm instead of RS256.
    pub fn algorithm(self, algorithm: Algorithm) -> Self {
        self.algorithms([algorithm])
    }

    /// Makes and publishes one key for each algorithm; the first one signs by default.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Begins the ids of this server's own keys with `prefix`: with `"a-"`, they are `a-rs256-1`, `a-rs256-2` and so on.
    ///
    /// A server that is started again at the same address has other keys. Give it another prefix, so that an API which
    /// remembers the old keys sees that these are new.
    pub fn key_id_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.key_id_prefix = prefix.into();
        self
    }

    /// Listens at this address, such as `"127.0.0.1:3001"`, instead of any free port on loopback.
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen = address.into();
        self
    }

    /// Uses this issuer in tokens and metadata instead of the server's own URL.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Serves everything under this path, such as `"/tenant1"`; the issuer ends with it.
    ///
    /// RFC 8414 metadata is at `/.well-known/oauth-authorization-server/tenant1`
    /// ([section 3.1](https://www.rfc-editor.org/rfc/rfc8414#section-3.1)).
    pub fn path(mut self, path: &str) -> Self {
        let path = path.trim_matches('/');
        self.settings.path = match path {
            "" => String::new(),
            path => format!("/{path}"),
        };
        self
    }

    /// Serves a well-known provider: its metadata, its key set and its tokens take the place of this server's own.
    ///
    /// Its URLs are those of this server: the issuer of [`provider::auth0`](crate::provider::auth0) is
    /// `http://127.0.0.1:PORT/`. Use [`by_its_names`](Self::by_its_names) for the names of the provider.
    pub fn provider(mut self, provider: Provider) -> Self {
        self.settings.oauth_metadata = false;
        self.settings.openid_configuration = provider.metadata().is_some();
        self.settings.provider = Some(provider);
        self
    }

    /// Serves the provider under its own host names, with certificates of `authority`, so that a configuration that names
    /// `https://login.example.com` runs to the letter.
    ///
    /// The API under test reaches the server as its https proxy: set `HTTPS_PROXY` to [`AuthorizationServer::proxy`], and have
    /// it trust `authority`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// use portcullis_testkit::{AuthorizationServer, CertificateAuthority, provider};
    ///
    /// let authority = CertificateAuthority::new();
    /// let server =
    ///     AuthorizationServer::builder().provider(provider::auth0()).by_its_names(authority).start().await?;
    /// assert_eq!(server.issuer(), "https://example.eu.auth0.com/");
    /// assert!(server.proxy().starts_with("http://127.0.0.1:"));
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn by_its_names(mut self, authority: crate::CertificateAuthority) -> Self {
        self.tls = Some(authority);
        self.by_its_names = true;
        self
    }

    /// Takes the time from `clock` instead of the system.
    pub fn clock(mut self, clock: TestClock) -> Self {
        self.settings.clock = Some(clock);
        self
    }

    /// Registers this client; the first call replaces the default, `test-client` with `test-secret`.
    pub fn client(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.settings.clients.push(Client { id: id.into(), secret: secret.into() });
        self
    }

    /// Sets the `aud` of tokens, one string or a list, instead of `https://api.example.com`.
    pub fn audience(mut self, audience: impl Into<Value>) -> Self {
        self.settings.audience = audience.into();
        self
    }

    /// Adds `Cache-Control: max-age`, in whole seconds, to the key set.
    pub fn jwks_max_age(mut self, max_age: Duration) -> Self {
        self.settings.jwks_max_age = Some(max_age);
        self
    }

    /// Turns the key set's `ETag`, and the status 304 for a matching one, on (the default) or off.
    pub fn etag(mut self, on: bool) -> Self {
        self.settings.etag = on;
        self
    }

    /// Turns `POST /rotate`, which makes a new signing key, on or off (the default).
    pub fn rotation_endpoint(mut self, on: bool) -> Self {
        self.settings.rotation_endpoint = on;
        self
    }

    /// Turns the OpenID configuration on (the default) or off, which answers 404.
    pub fn openid_configuration(mut self, on: bool) -> Self {
        self.settings.openid_configuration = on;
        self
    }

    /// Turns RFC 8414 metadata on (the default) or off, which answers 404.
    pub fn oauth_metadata(mut self, on: bool) -> Self {
        self.settings.oauth_metadata = on;
        self
    }

    /// Publishes a wrong issuer in both metadata documents, but not in tokens.
    pub fn metadata_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.settings.metadata_issuer = Some(issuer.into());
        self
    }

    /// Turns the demand for a nonce in DPoP proofs on or off (the default) ([RFC 9449 section 8]).
    ///
    /// A proof without it gets `use_dpop_nonce`, and every answer of the token endpoint has a `DPoP-Nonce` field.
    ///
    /// [RFC 9449 section 8]: https://www.rfc-editor.org/rfc/rfc9449#section-8
    pub fn dpop_nonces(mut self, on: bool) -> Self {
        self.settings.dpop_nonces = on;
        self
    }

    /// Serves https with a certificate from `authority` for `127.0.0.1` and `localhost`.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn tls(mut self, authority: crate::CertificateAuthority) -> Self {
        self.tls = Some(authority);
        self
    }

    /// Asks for a client certificate of this authority, and binds tokens to it ([RFC 8705 section 3]).
    ///
    /// A client without a certificate gets a bearer token. The server needs [`tls`](Self::tls).
    ///
    /// [RFC 8705 section 3]: https://www.rfc-editor.org/rfc/rfc8705#section-3
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn client_authority(mut self, authority: crate::CertificateAuthority) -> Self {
        self.clients = Some(authority);
        self.settings.client_certificates = true;
        self
    }

    /// Starts the server on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// When the address is invalid, in use or not permitted, or when no algorithm was given.
    pub async fn start(mut self) -> io::Result<AuthorizationServer> {
        if self.algorithms.is_empty() {
            return Err(io::Error::other("expected at least one algorithm, got none"));
        }
        let port = Port::bind(&self.listen).await?;
        let address = port.address();
        let transport = self.transport();
        if !transport.is_proxy() {
            let origin = format!("{}://{address}", transport.scheme());
            self.settings.provider = self.settings.provider.map(|provider| provider.at(&origin));
        }
        let base = format!("{}://{address}{}", transport.scheme(), self.settings.path);
        let state = Arc::new(self.into_state(base));
        let router = routes::router(&state);
        let listener = port.open(transport.clone(), router.clone());
        Ok(AuthorizationServer {
            handle: Arc::new(Handle { state, address, transport, router, listener: Mutex::new(Some(listener)) }),
        })
    }

    #[cfg(feature = "tls")]
    fn transport(&self) -> Transport {
        match &self.tls {
            Some(authority) if self.by_its_names => {
                let hosts = self.settings.provider.as_ref().map(Provider::hosts).unwrap_or_default();
                Transport::Proxy(authority.acceptor_for(&hosts, self.clients.as_ref()))
            }
            Some(authority) => Transport::Tls(authority.acceptor(self.clients.as_ref())),
            None => Transport::Plain,
        }
    }

    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_self, reason = "the same call with and without tls")]
    fn transport(&self) -> Transport {
        Transport::Plain
    }

    fn into_state(self, base: String) -> State {
        let mut settings = self.settings;
        if settings.clients.is_empty() {
            settings.clients.push(Client { id: "test-client".into(), secret: "test-secret".into() });
        }
        let provider = settings.provider.as_ref();
        let keys = provider.map_or_else(|| KeyRing::new(&self.algorithms, self.key_id_prefix), KeyRing::of_provider);
        let of_provider = provider.and_then(Provider::issuer).map(str::to_owned);
        State {
            dpop_nonce: Mutex::new(settings.dpop_nonces.then(random_id)),
            exchange_fault: Mutex::new(None),
            settings,
            issuer: self.issuer.or(of_provider).unwrap_or_else(|| base.clone()),
            base,
            desks: Desks::new(),
            keys: Mutex::new(keys),
            registry: Mutex::new(Registry::default()),
        }
    }
}
