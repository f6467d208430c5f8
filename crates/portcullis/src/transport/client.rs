//! How an authorization server is asked: the [`HttpClient`] trait.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;

use crate::ConfigurationError;

/// How we name ourselves to servers (RFC 9110 section 10.1.5): some firewalls let nobody through who does not.
pub(crate) const USER_AGENT: &str = concat!("portcullis/", env!("CARGO_PKG_VERSION"));

/// What goes wrong in parts that users bring along.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A future on the heap.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A request to an authorization server.
#[derive(Debug)]
#[non_exhaustive]
pub struct HttpRequest {
    /// The request itself.
    pub request: http::Request<Bytes>,
    /// The longest body to read, in bytes: stop there, and answer with an error.
    pub max_body_bytes: usize,
}

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
    /// Whatever keeps the response from being had: its text stands in the log and in the status.
    fn send(
        &self,
        request: HttpRequest,
    ) -> impl Future<Output = Result<http::Response<Bytes>, Box<dyn std::error::Error + Send + Sync>>> + Send;
}

/// A body that grew beyond [`HttpRequest::max_body_bytes`]: the server answered, only at too great a length.
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

/// The client for who brings none; `direct` leaves the environment's proxies out.
#[cfg(feature = "reqwest")]
pub(crate) fn default_client(direct: bool) -> Result<Arc<dyn AnyHttpClient>, ConfigurationError> {
    Ok(Arc::new(super::ReqwestClient::standard(direct)?))
}

#[cfg(not(feature = "reqwest"))]
pub(crate) fn default_client(_direct: bool) -> Result<Arc<dyn AnyHttpClient>, ConfigurationError> {
    Err(ConfigurationError::NoHttpClient)
}

/// An error's text with that of its causes, which clients like to leave out.
pub(crate) fn with_causes(error: &BoxError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
