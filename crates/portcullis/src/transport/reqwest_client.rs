//! The default [`HttpClient`]: reqwest with rustls.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::client::{BodyTooLong, BoxError, HttpClient, HttpRequest};
use crate::ConfigurationError;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Sends requests with reqwest: rustls, the machine's certificate authorities, proxies from the environment.
///
/// # Example
///
/// A certificate authority and a proxy of your own:
///
/// ```no_run
/// use portcullis::{JwksService, ReqwestClient};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = reqwest::Client::builder()
///     .tls_certs_merge([reqwest::Certificate::from_pem(&std::fs::read("ca.pem")?)?])
///     .proxy(reqwest::Proxy::https("http://proxy.internal:3128")?);
/// let jwks = JwksService::builder("https://as.internal/jwks").http_client(ReqwestClient::new(client)?).build()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct ReqwestClient(reqwest::Client);

impl ReqwestClient {
    /// Builds the client; redirects are not followed, whatever the builder says.
    ///
    /// # Errors
    ///
    /// [`ConfigurationError::HttpClient`] if reqwest cannot build it.
    pub fn new(builder: reqwest::ClientBuilder) -> Result<Self, ConfigurationError> {
        let client = builder.redirect(reqwest::redirect::Policy::none()).build();
        client.map(Self).map_err(|error| ConfigurationError::HttpClient { source: error.into() })
    }

    /// The client for who brings none; `direct` leaves the environment's proxies out.
    pub(super) fn standard(direct: bool) -> Result<Self, ConfigurationError> {
        let builder = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT);
        Self::new(if direct { builder.no_proxy() } else { builder })
    }
}

impl HttpClient for ReqwestClient {
    async fn send(&self, request: HttpRequest) -> Result<http::Response<Bytes>, BoxError> {
        let mut response = self.0.execute(request.request.try_into()?).await?;
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > request.max_body_bytes {
                return Err(BodyTooLong { limit: request.max_body_bytes }.into());
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = http::Response::new(body.freeze());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }
}
