//! The two ways to inspect: [`ResourceInspector`] sends requests, [`CollectedMetadata`] are at hand.

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header::WWW_AUTHENTICATE};
use url::Url;

use super::{
    ResourceReport, authenticate,
    client::{Client, allowed},
    places, rows,
    seen::{Asked, Attempt, Seen, Server, text, texts},
    walk,
};
use crate::{
    configuration_error::ConfigurationError,
    transport::{AnyHttpClient, Authorities, Destination, HttpClient, Transport},
};

/// Inspects a protected resource as a client meets it, without a token: its challenge, its metadata (RFC 9728), and those of
/// its authorization servers (RFC 8414).
///
/// It sends a handful of requests, each bounded in size and time, without credentials and cookies; it follows no redirect to
/// another origin. URLs that a server names are https (http on this machine), and lead to public addresses, or to those of
/// that server's own kind.
///
/// # Example
///
/// ```no_run
/// use portcullis::ResourceInspector;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis::ConfigurationError> {
/// let report = ResourceInspector::new("https://mcp.example.com/mcp")?.inspect().await?;
/// for check in &report.checks {
///     println!("{:<22} {} {}", check.kind.title(), check.outcome.name(), check.actual.as_deref().unwrap_or_default());
/// }
/// assert_eq!(report.errors().count(), 0);
/// # Ok(()) }
/// ```
pub struct ResourceInspector {
    text: String,
    url: Url,
    method: Option<Method>,
    client: Option<Arc<dyn AnyHttpClient>>,
    ca_file: Option<PathBuf>,
}

impl ResourceInspector {
    /// Inspects the resource at this URL, as its clients write it.
    ///
    /// # Errors
    ///
    /// [`ConfigurationError::Url`] if it is not an absolute URL without credentials, [`ConfigurationError::InsecureUrl`] if it
    /// is neither https nor of this machine.
    pub fn new(url: &str) -> Result<Self, ConfigurationError> {
        let parsed = resource(url)?;
        Ok(Self { text: url.to_owned(), url: parsed, method: None, client: None, ca_file: None })
    }

    /// Asks by this method; the default is GET, and POST where the resource has no GET.
    ///
    /// A POST carries the message `server/discover` of MCP, which changes nothing.
    #[must_use]
    pub fn method(self, method: Method) -> Self {
        Self { method: Some(method), ..self }
    }

    /// Trusts the certificate authorities in this PEM file, too, at the resource and at its authorization servers.
    #[must_use]
    pub fn ca_file(self, path: impl Into<PathBuf>) -> Self {
        Self { ca_file: Some(path.into()), ..self }
    }

    /// Sends the requests by a client of your own.
    #[must_use]
    pub fn http_client(self, client: impl HttpClient) -> Self {
        Self { client: Some(Arc::new(client)), ..self }
    }

    /// Sends the requests, and reports what is missing or contradictory.
    ///
    /// # Errors
    ///
    /// [`ConfigurationError`] if the HTTP client cannot be built, or the file of [`ca_file`](Self::ca_file) has no certificate. A
    /// failed request is part of the report.
    pub async fn inspect(self) -> Result<ResourceReport, ConfigurationError> {
        let authorities = || self.ca_file.clone().map_or(Authorities::Machine, Authorities::AndOfFile);
        let client = |destination| authorities().client(self.client.clone(), destination);
        let client = Client {
            remote: client(Destination { on_this_machine: false, by_https: true })?,
            local: client(Destination { on_this_machine: true, by_https: false })?,
        };
        let seen = walk::walk(&client, &self.text, self.url, self.method.as_ref()).await;
        Ok(rows::report(&seen))
    }
}

impl std::fmt::Debug for ResourceInspector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResourceInspector")
            .field("url", &self.text)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// The metadata of a protected resource and its authorization servers at hand, to be inspected without a request.
///
/// # Example
///
/// ```
/// use portcullis::{CollectedMetadata, ResourceFinding};
///
/// # fn main() -> Result<(), portcullis::ConfigurationError> {
/// let collected = CollectedMetadata {
///     url: "https://mcp.example.com/mcp".to_owned(),
///     metadata: r#"{ "resource": "https://mcp.example.com/mcp/", "authorization_servers": ["https://as.example.com"] }"#.to_owned(),
///     ..CollectedMetadata::default()
/// };
/// let report = collected.inspect()?;
/// let errors: Vec<_> = report.errors().collect();
/// assert_eq!(errors, [ResourceFinding::SlashIdentifier]);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CollectedMetadata {
    /// The URL of the resource, as its clients write it.
    pub url: String,
    /// The value of `WWW-Authenticate` in the answer to a request without a token; none if it is not to be inspected.
    pub www_authenticate: Option<String>,
    /// The metadata of the resource (RFC 9728 section 3.2).
    pub metadata: String,
    /// The metadata of authorization servers (RFC 8414 section 3.2), in any order.
    pub servers: Vec<String>,
}

impl CollectedMetadata {
    /// Reports what is missing or contradictory; checks of servers and their answers are not made.
    ///
    /// # Errors
    ///
    /// The errors of [`ResourceInspector::new`].
    pub fn inspect(&self) -> Result<ResourceReport, ConfigurationError> {
        let url = resource(&self.url)?;
        let well_known = places::of_resource(&url);
        let challenges = self.www_authenticate.as_ref().map(|field| match HeaderValue::try_from(field.trim()) {
            Ok(value) => authenticate::challenges(&HeaderMap::from_iter([(WWW_AUTHENTICATE, value)])),
            Err(_) => Err("expected one line, got control characters".to_owned()),
        });
        let attempts = vec![given(well_known.clone(), &self.metadata)];
        let text = self.url.clone();
        let mut seen = Seen { text, url, first: None, challenges, attempts, well_known, servers: Vec::new() };
        seen.servers = self.servers(&seen);
        Ok(rows::report(&seen))
    }

    /// Finds the metadata of each authorization server by its issuer; metadata of other issuers stand for the servers that
    /// are left, in order.
    fn servers(&self, seen: &Seen) -> Vec<Server> {
        let Some(metadata) = seen.metadata() else { return Vec::new() };
        let issuers = texts(&metadata, "authorization_servers").unwrap_or_default();
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for text_of_server in self.servers.iter().filter(|text| !text.trim().is_empty()) {
            let document = given(seen.url.clone(), text_of_server);
            let issuer = document.object().ok().and_then(|metadata| Some(text(&metadata, "issuer")?.to_owned()));
            match issuer.filter(|issuer| issuers.contains(&issuer.as_str())) {
                Some(issuer) => own.push((issuer, document)),
                None => others.push(document),
            }
        }
        let left: Vec<_> = issuers.iter().filter(|issuer| own.iter().all(|(known, _)| known != *issuer)).collect();
        let others = left.into_iter().map(|issuer| (*issuer).to_owned()).zip(others);
        own.into_iter()
            .chain(others.collect::<Vec<_>>())
            .map(|(issuer, document)| Server { issuer, attempts: vec![document], keys: None })
            .collect()
    }
}

fn given(url: Url, text: &str) -> Attempt {
    Attempt { url, asked: Asked::Given(Bytes::copy_from_slice(text.as_bytes())) }
}

/// Reads the URL of a resource.
fn resource(text: &str) -> Result<Url, ConfigurationError> {
    let url = Transport::Secure.url(text)?;
    allowed(text).ok_or_else(|| ConfigurationError::Url { url: crate::shown_url::shown(&url) })
}
