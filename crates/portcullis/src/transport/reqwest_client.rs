//! The default [`HttpClient`]: reqwest with rustls.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use url::Url;

use super::{
    client::{BodyTooLong, BoxError, ClientOptions, HttpClient, HttpRequest, PeerAddress},
    names::Names,
};
use crate::configuration_error::ConfigurationError;

/// The longest time for making a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Sends requests with reqwest: rustls, the machine's certificate authorities, proxies from the environment.
///
/// Proxies are those of `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`; requests to this machine bypass them.
///
/// # Example
///
/// A proxy of your own (for a certificate authority alone, [`JwksBuilder::ca_file`](crate::JwksBuilder::ca_file) does):
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
#[derive(Clone)]
pub struct ReqwestClient {
    /// The client for all URLs, or only for http if there is one for https.
    client: reqwest::Client,
    https: Option<OnDemand>,
    /// The resolver; none if the user's builder resolves names.
    names: Option<Names>,
}

impl ReqwestClient {
    /// Builds the client. It never follows redirects, even if the builder allows them.
    ///
    /// The builder resolves names by itself, so it has to check the addresses of URLs from an issuer's metadata
    /// ([`HttpRequest::may_connect_to`]), unless it is built [`with_checked_names`](Self::with_checked_names).
    ///
    /// # Errors
    ///
    /// [`ConfigurationError::HttpClient`] if reqwest cannot build it.
    pub fn new(builder: reqwest::ClientBuilder) -> Result<Self, ConfigurationError> {
        Ok(Self { client: built(builder)?, https: None, names: None })
    }

    /// Builds the client with a resolver of its own in place of the builder's: a URL from an issuer's metadata leads to no address that it may
    /// not ([`HttpRequest::may_connect_to`]). For a builder with settings of TLS, such as a certificate for the server, and without a proxy,
    /// which resolves names itself.
    ///
    /// # Errors
    ///
    /// [`ConfigurationError::HttpClient`] if reqwest cannot build it.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use portcullis::ReqwestClient;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let identity = reqwest::Identity::from_pem(&std::fs::read("client.pem")?)?;
    /// let client = ReqwestClient::with_checked_names(reqwest::Client::builder().identity(identity))?;
    /// # Ok(()) }
    /// ```
    pub fn with_checked_names(builder: reqwest::ClientBuilder) -> Result<Self, ConfigurationError> {
        let names = Names::of_the_system();
        Ok(Self { client: built(builder.dns_resolver(names.clone()))?, https: None, names: Some(names) })
    }

    /// The client for users without one of their own.
    pub(super) fn standard(options: &ClientOptions) -> Result<Self, ConfigurationError> {
        Self::looking_up(options, Names::of_the_system())
    }

    pub(super) fn looking_up(options: &ClientOptions, names: Names) -> Result<Self, ConfigurationError> {
        let direct = options.destination.on_this_machine;
        let builder = standard_builder(direct, &names);
        let (builder, https) = match &options.authorities {
            Some(pem) => (builder.tls_certs_merge(certificates(pem).ok_or(ConfigurationError::NoCertificate)?), None),
            // The way to another machine may lead over a proxy by https.
            None if options.destination.by_https || !direct => (builder, None),
            // A container beside a sidecar often has no authorities, and needs none.
            None => (builder.tls_certs_only([]), Some(OnDemand::new(direct, names.clone()))),
        };
        Ok(Self { client: built(builder)?, https, names: Some(names) })
    }

    fn client_for(&self, url: &Url) -> Result<&reqwest::Client, ConfigurationError> {
        match &self.https {
            Some(https) if url.scheme() == "https" => https.client(),
            _ => Ok(&self.client),
        }
    }

    fn peer(&self, url: &Url, response: &reqwest::Response) -> Option<PeerAddress> {
        let address = response.remote_addr()?.ip();
        self.names.as_ref()?.is_at(url, address).then_some(PeerAddress(address))
    }
}

/// The client for https beside one for http: reads the machine's certificate authorities for the first request.
#[derive(Clone)]
struct OnDemand {
    direct: bool,
    names: Names,
    client: Arc<OnceLock<reqwest::Client>>,
}

impl OnDemand {
    fn new(direct: bool, names: Names) -> Self {
        Self { direct, names, client: Arc::default() }
    }

    /// The client; while there are no authorities, an error each time.
    fn client(&self) -> Result<&reqwest::Client, ConfigurationError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = built(standard_builder(self.direct, &self.names))?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// The settings of the client for users without one of their own, except for certificate authorities.
fn standard_builder(direct: bool, names: &Names) -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).dns_resolver(names.clone());
    if direct { builder.no_proxy() } else { builder }
}

/// Reads certificates; none if the text has no certificate.
fn certificates(pem: &[u8]) -> Option<Vec<reqwest::Certificate>> {
    reqwest::Certificate::from_pem_bundle(pem).ok().filter(|certificates| !certificates.is_empty())
}

fn built(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, ConfigurationError> {
    let client = builder.redirect(reqwest::redirect::Policy::none()).build();
    client.map_err(|error| ConfigurationError::HttpClient { source: error.into() })
}

impl HttpClient for ReqwestClient {
    async fn send(&self, request: HttpRequest) -> Result<http::Response<Bytes>, BoxError> {
        let (reach, limit) = (request.reach, request.max_body_bytes);
        let request: reqwest::Request = request.request.try_into().map_err(reqwest::Error::without_url)?;
        let url = request.url().clone();
        if let Some(names) = &self.names {
            names.bound(&url, reach);
        }
        // The caller knows the URL, and its text would show its credentials and query.
        let mut response = self.client_for(&url)?.execute(request).await.map_err(reqwest::Error::without_url)?;
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
            if body.len() + chunk.len() > limit {
                return Err(BodyTooLong { limit }.into());
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = http::Response::new(body.freeze());
        *answer.status_mut() = response.status();
        if let Some(peer) = self.peer(&url, &response) {
            answer.extensions_mut().insert(peer);
        }
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }
}

impl std::fmt::Debug for ReqwestClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ReqwestClient").field(&self.client).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use portcullis_testkit::{AuthorizationServer, Endpoint};

    use super::{
        super::{client::Destination, reach::Reach},
        *,
    };

    const LOCAL: Destination = Destination { on_this_machine: true, by_https: false };
    const INNER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const OUTER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));

    fn client(lookup: impl Fn(&str) -> Vec<IpAddr> + Send + Sync + 'static) -> ReqwestClient {
        let options = ClientOptions { destination: LOCAL, authorities: None };
        ReqwestClient::looking_up(&options, Names::by(move |name| Ok(lookup(name)))).unwrap()
    }

    fn request(url: &str, issuer: Option<IpAddr>) -> HttpRequest {
        let reach = issuer.map(|peer| Reach::of_issuer(&Url::parse("https://as.example").unwrap(), Some(peer)));
        HttpRequest { request: http::Request::get(url).body(Bytes::new()).unwrap(), max_body_bytes: 10_000, reach }
    }

    #[tokio::test]
    async fn a_name_that_leads_farther_in_than_the_issuer_is_not_connected_to() {
        let server = AuthorizationServer::start().await;
        let url = format!("http://keys.example:{}/jwks", server.address().port());
        let client = client(|_| vec![INNER]);
        for outer in [OUTER, "10.0.0.1".parse().unwrap(), "169.254.0.1".parse().unwrap()] {
            let error = client.send(request(&url, Some(outer))).await.unwrap_err();
            let error = super::super::with_causes(&error);
            assert!(error.contains("configure the URL itself"), "{error}");
        }
        assert_eq!(server.requests(Endpoint::Jwks), 0);
        // An issuer on this machine, and a configured URL, may lead there.
        for issuer in [Some(INNER), None] {
            let answer = client.send(request(&url, issuer)).await.unwrap();
            assert_eq!(answer.extensions().get(), Some(&PeerAddress(INNER)));
        }
        assert_eq!(server.requests(Endpoint::Jwks), 2);
    }

    #[tokio::test]
    async fn names_are_checked_with_a_builder_of_ones_own_too() {
        let server = AuthorizationServer::start().await;
        let url = format!("http://localhost:{}/jwks", server.address().port());
        let client = ReqwestClient::with_checked_names(reqwest::Client::builder().no_proxy()).unwrap();
        client.send(request(&url, Some(OUTER))).await.unwrap_err();
        assert_eq!(server.requests(Endpoint::Jwks), 0);
        client.send(request(&url, None)).await.unwrap();
        assert_eq!(server.requests(Endpoint::Jwks), 1);
    }
}
