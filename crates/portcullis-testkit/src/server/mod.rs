//! The authorization server and its handle.

mod builder;
mod control;
mod desk;
mod endpoint;
mod exchange;
mod fault;
mod keyring;
mod keys;
pub(crate) mod listener;
mod registry;
mod routes;
mod state;
pub(crate) mod transport;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use axum::Router;

use crate::sync::lock;
pub use builder::Builder;
pub use endpoint::Endpoint;
pub use exchange::ExchangeFault;
pub use fault::Fault;
use listener::{Listener, Port};
use state::State;
use transport::Transport;

/// An OAuth 2.0 authorization server in the test's process; clones are handles of the same one.
///
/// It serves on loopback until [`stop`](Self::stop) is called or its last handle is dropped:
///
/// | request | answer |
/// |---|---|
/// | `GET /jwks` | the published keys ([RFC 7517]), with an `ETag` |
/// | `GET /.well-known/openid-configuration` | [OpenID Connect Discovery] |
/// | `GET /.well-known/oauth-authorization-server` | metadata ([RFC 8414]) |
/// | `POST /token` | client credentials ([RFC 6749 section 4.4]) |
/// | `POST /introspect` | introspection ([RFC 7662]), signed on request ([RFC 9701]) |
/// | `POST /rotate` | a new signing key, if the builder turns it on |
///
/// A token request with a DPoP proof gets a token that is bound to the proof's key ([RFC 9449 section 5]); one over mutual TLS gets
/// a token that is bound to the client's certificate ([RFC 8705 section 3]). Introspection tells `cnf` of both.
///
/// `POST /token` takes `scope`, `audience` or `resource` ([RFC 8707], both repeatable), and two
/// parameters of its own: `claims`, a JSON object whose members become claims, and
/// `token_format=opaque`. With `Accept: application/jwt`, `POST /introspect` answers a
/// "phantom token": the JWT access token with the claims of the opaque one, or 204 if it is
/// inactive.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use portcullis_testkit::{Attack, AuthorizationServer, Endpoint};
///
/// let server = AuthorizationServer::start().await;
/// let good = server.token().scope("read").sign();
/// let hostile = server.hostile(Attack::AlgorithmConfusion);
/// // … give your API `server.issuer()` and send it both …
/// assert_eq!(server.requests(Endpoint::Jwks), 0);
/// # }
/// ```
///
/// [OpenID Connect Discovery]: https://openid.net/specs/openid-connect-discovery-1_0.html
/// [RFC 6749 section 4.4]: https://www.rfc-editor.org/rfc/rfc6749#section-4.4
/// [RFC 7517]: https://www.rfc-editor.org/rfc/rfc7517
/// [RFC 7662]: https://www.rfc-editor.org/rfc/rfc7662
/// [RFC 8414]: https://www.rfc-editor.org/rfc/rfc8414
/// [RFC 8707]: https://www.rfc-editor.org/rfc/rfc8707
/// [RFC 8705 section 3]: https://www.rfc-editor.org/rfc/rfc8705#section-3
/// [RFC 9449 section 5]: https://www.rfc-editor.org/rfc/rfc9449#section-5
/// [RFC 9701]: https://www.rfc-editor.org/rfc/rfc9701
#[derive(Clone)]
pub struct AuthorizationServer {
    handle: Arc<Handle>,
}

struct Handle {
    state: Arc<State>,
    address: SocketAddr,
    transport: Transport,
    router: Router,
    listener: Mutex<Option<Listener>>,
}

impl AuthorizationServer {
    /// Starts a server that signs with RS256, on any free port of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// When no port can be opened on loopback.
    #[expect(clippy::expect_used, reason = "a test cannot go on without it")]
    pub async fn start() -> Self {
        let started = Self::builder().start().await;
        started.expect("a free port on 127.0.0.1")
    }

    /// Begins a server with other settings.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// The issuer identifier, such as `"http://127.0.0.1:49152"`, without a final slash.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.state().issuer
    }

    /// The URL of the key set.
    #[must_use]
    pub fn jwks_uri(&self) -> String {
        self.state().jwks_uri()
    }

    /// The URL of a path, which begins with a slash, under the server's base.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        self.state().url(path)
    }

    /// The server's address and port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.handle.address
    }

    /// The URL of the server as an https proxy that leads to the provider's names: see
    /// [`Builder::by_its_names`].
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    #[must_use]
    pub fn proxy(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The time of the server's clock.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.state().now()
    }

    /// Stops listening and drops every open connection before it returns.
    pub async fn stop(&self) {
        let listener = lock(&self.handle.listener).take();
        if let Some(listener) = listener {
            listener.close().await;
        }
    }

    /// Listens again on the same port with the same keys, and stops first if it runs.
    ///
    /// # Errors
    ///
    /// When something else has taken the port.
    pub async fn restart(&self) -> io::Result<()> {
        self.stop().await;
        let port = Port::bind(&self.address().to_string()).await?;
        let handle = &self.handle;
        let listener = port.open(handle.transport.clone(), handle.router.clone());
        *lock(&handle.listener) = Some(listener);
        Ok(())
    }

    fn state(&self) -> &State {
        &self.handle.state
    }
}

impl fmt::Debug for AuthorizationServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationServer")
            .field("issuer", &self.issuer())
            .field("keys", &self.keys())
            .finish_non_exhaustive()
    }
}
