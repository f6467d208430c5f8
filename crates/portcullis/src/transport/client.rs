//! Requests to an authorization server: the [`HttpClient`] trait.

use std::{fmt, future::Future, net::IpAddr, path::PathBuf, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::HeaderValue;
use url::Url;

use super::reach::Reach;
use crate::{configuration_error::ConfigurationError, loopback::is_this_machine, shown_url::shown};

/// The `User-Agent`: some firewalls refuse requests without one.
pub(crate) const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("portcullis/", env!("CARGO_PKG_VERSION")));

/// An error of a client, cache or store that users provide.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A future on the heap.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A request to an authorization server.
///
/// Its body may contain a token and the client's secret; debug output shows neither.
#[non_exhaustive]
pub struct HttpRequest {
    /// The request itself.
    pub request: http::Request<Bytes>,
    /// The length of the longest body to read, in bytes: return an error for a longer one.
    pub max_body_bytes: usize,
    /// The allowed addresses; any if the operator chose the URL.
    pub(crate) reach: Option<Reach>,
}

/// Shows method and URL, without credentials, query and body.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = Url::parse(&self.request.uri().to_string()).map(|url| shown(&url)).unwrap_or_default();
        f.debug_struct("HttpRequest").field("method", self.request.method()).field("url", &url).finish_non_exhaustive()
    }
}

impl HttpRequest {
    /// Returns true if a connection for this request may be made to this address.
    ///
    /// A configured URL may lead to any address. A URL from an issuer's metadata may lead to public addresses, and to
    /// addresses of the same kind as the issuer's own: a public issuer cannot aim it at this machine, at link-local
    /// addresses or into a private network. A literal address in the URL was checked before; a client has to call this for
    /// each address that it resolves a name to, and connect to no other.
    ///
    /// ```
    /// use portcullis::HttpRequest;
    ///
    /// fn permitted(request: &HttpRequest, found: Vec<std::net::IpAddr>) -> Vec<std::net::IpAddr> {
    ///     found.into_iter().filter(|address| request.may_connect_to(*address)).collect()
    /// }
    /// ```
    #[must_use]
    pub fn may_connect_to(&self, address: IpAddr) -> bool {
        self.reach.is_none_or(|reach| reach.allows(address))
    }
}

/// The address of the server that answered; a client puts it into the extensions of a response.
///
/// The address of an issuer decides which addresses the URLs in its metadata may lead to; if it is unknown, to public ones
/// only. Never put the address of a proxy there.
///
/// ```
/// use portcullis::PeerAddress;
///
/// let mut response = http::Response::new(());
/// response.extensions_mut().insert(PeerAddress([10, 0, 0, 7].into()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

/// Sends requests to an authorization server: the default is [`ReqwestClient`](crate::ReqwestClient).
///
/// An implementation must not follow redirects, and must stop reading a body that grows beyond
/// [`HttpRequest::max_body_bytes`]. The caller bounds the time.
///
/// # Example
///
/// ```
/// use bytes::Bytes;
/// use portcullis::{HttpClient, HttpRequest};
///
/// /// Answers from memory.
/// struct Canned;
///
/// impl HttpClient for Canned {
///     async fn send(
///         &self,
///         _request: HttpRequest,
///     ) -> Result<http::Response<Bytes>, Box<dyn std::error::Error + Send + Sync>> {
///         Ok(http::Response::new(Bytes::from_static(br#"{"keys":[]}"#)))
///     }
/// }
/// ```
pub trait HttpClient: Send + Sync + 'static {
    /// Sends a request and reads the whole response.
    ///
    /// # Errors
    ///
    /// Any error of the connection or the response: its text is in the log and in the status.
    fn send(
        &self,
        request: HttpRequest,
    ) -> impl Future<Output = Result<http::Response<Bytes>, Box<dyn std::error::Error + Send + Sync>>> + Send;
}

/// The error for a body that is longer than [`HttpRequest::max_body_bytes`].
#[derive(Debug)]
pub(crate) struct BodyTooLong {
    pub(crate) limit: usize,
}

impl fmt::Display for BodyTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the answer is longer than {} bytes", self.limit)
    }
}

impl std::error::Error for BodyTooLong {}

/// [`HttpClient`] behind a pointer.
pub(crate) trait AnyHttpClient: Send + Sync {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<http::Response<Bytes>, BoxError>>;
}

impl<C: HttpClient> AnyHttpClient for C {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<http::Response<Bytes>, BoxError>> {
        Box::pin(HttpClient::send(self, request))
    }
}

/// The certificate authorities that the default client trusts.
pub(crate) enum Authorities {
    /// The machine's own.
    Machine,
    AndOfFile(PathBuf),
    AndOfPem(Vec<u8>),
}

impl Authorities {
    /// A client that trusts these authorities: the user's own client, which has to trust them itself, or the default one.
    pub(crate) fn client(
        self,
        own: Option<Arc<dyn AnyHttpClient>>,
        destination: Destination,
    ) -> Result<Arc<dyn AnyHttpClient>, ConfigurationError> {
        let authorities = match self {
            Self::Machine => None,
            Self::AndOfFile(path) => Some(read(path)?),
            Self::AndOfPem(pem) => Some(pem),
        };
        match own {
            Some(_) if authorities.is_some() => Err(ConfigurationError::UnusedCaFile),
            Some(own) => Ok(own),
            None => default_client(&ClientOptions { destination, authorities }),
        }
    }
}

fn read(path: PathBuf) -> Result<Vec<u8>, ConfigurationError> {
    std::fs::read(&path).map_err(|source| ConfigurationError::File { path, source })
}

/// The server of a client's first request; others follow where its metadata name them.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "reqwest"), expect(dead_code, reason = "without it there is no default client"))]
pub(crate) struct Destination {
    /// It is on this machine: the environment's proxies are left out.
    pub(crate) on_this_machine: bool,
    /// It needs certificate authorities at once.
    pub(crate) by_https: bool,
}

impl Destination {
    pub(crate) fn of(url: &Url) -> Self {
        Self { on_this_machine: is_this_machine(url), by_https: url.scheme() == "https" }
    }
}

/// The options of the default client.
#[derive(Debug)]
#[cfg_attr(not(feature = "reqwest"), expect(dead_code, reason = "without it there is no default client"))]
pub(crate) struct ClientOptions {
    pub(crate) destination: Destination,
    /// Certificate authorities that are trusted beside the machine's, as PEM.
    pub(crate) authorities: Option<Vec<u8>>,
}

/// The client for users without one of their own.
#[cfg(feature = "reqwest")]
fn default_client(options: &ClientOptions) -> Result<Arc<dyn AnyHttpClient>, ConfigurationError> {
    Ok(Arc::new(super::ReqwestClient::standard(options)?))
}

#[cfg(not(feature = "reqwest"))]
fn default_client(_options: &ClientOptions) -> Result<Arc<dyn AnyHttpClient>, ConfigurationError> {
    Err(ConfigurationError::NoHttpClient)
}

/// The text of an error and of its causes.
pub(crate) fn with_causes(error: &BoxError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_asked_past_any_proxy_and_http_without_authorities() {
        for (url, on_this_machine, by_https) in [
            ("http://localhost/", true, false),
            ("https://[::1]/", true, true),
            ("https://as.example.com/", false, true),
            ("http://as.example.com/", false, false),
        ] {
            let destination = Destination::of(&Url::parse(url).unwrap());
            assert_eq!((destination.on_this_machine, destination.by_https), (on_this_machine, by_https), "{url}");
        }
    }
}
