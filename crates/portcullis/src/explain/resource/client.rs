//! Requests as a careful client sends them: bounded in size, time and redirects, without cookies and credentials.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, StatusCode,
    header::{ACCEPT, ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE, LOCATION, ORIGIN, USER_AGENT},
};
use tokio::time::timeout;
use url::Url;

use super::seen::{Answer, Asked, Attempt};
use crate::{
    loopback::is_this_machine,
    shown_url::shown,
    transport::{self, AnyHttpClient, HttpRequest, PeerAddress, Reach, Transport, with_causes},
};

/// The longest time for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest document, in bytes.
const LONGEST: usize = 1024 * 1024;

/// The most redirects that are followed.
const MOST_REDIRECTS: usize = 3;

/// The page of a client in a browser, for CORS (RFC 6454); the name is never resolved (RFC 6761).
pub(super) const BROWSER: HeaderValue = HeaderValue::from_static("https://client.invalid");

/// The body of a request by POST: the one that each MCP server answers to anyone who may use it, and that changes nothing.
const DISCOVER: &str = r#"{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{
"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;

/// Sends the requests.
pub(super) struct Client {
    /// The client for other machines.
    pub(super) remote: Arc<dyn AnyHttpClient>,
    /// The client for this machine, which bypasses proxies.
    pub(super) local: Arc<dyn AnyHttpClient>,
}

impl Client {
    /// Asks the resource itself, without a token.
    pub(super) async fn resource(&self, url: &Url, method: &Method) -> Asked {
        let request = || {
            let request = Request::builder().method(method);
            if method != Method::POST {
                // Without `text/event-stream`: a stream of events would have no end.
                return request.header(ACCEPT, "application/json").body(Bytes::new());
            }
            let request = request.header(ACCEPT, "application/json, text/event-stream");
            let request = request.header("mcp-protocol-version", "2026-07-28").header("mcp-method", "server/discover");
            request.header(CONTENT_TYPE, "application/json").body(Bytes::from_static(DISCOVER.as_bytes()))
        };
        self.ask(url, None, request).await
    }

    /// Asks for a document; the address has to be within reach of the server that named it.
    pub(super) async fn document(&self, url: Url, reach: Reach) -> Attempt {
        let asked = if reach.allows_literal(&url) {
            self.allowed_document(&url, reach).await
        } else {
            Asked::Nothing("an address on this machine or in a network that the server naming it is not in".to_owned())
        };
        Attempt { url, asked }
    }

    /// Asks as a client in a browser does, and if such a client is refused, as other clients do.
    async fn allowed_document(&self, url: &Url, reach: Reach) -> Asked {
        let request = || Request::get("/").header(ACCEPT, "application/json");
        let asked = self.ask(url, Some(reach), || request().header(ORIGIN, BROWSER).body(Bytes::new())).await;
        if !matches!(&asked, Asked::Answered(answer) if answer.status == StatusCode::FORBIDDEN) {
            return asked;
        }
        let mut asked = self.ask(url, Some(reach), || request().body(Bytes::new())).await;
        if let Asked::Answered(answer) = &mut asked {
            // Whatever it says, pages are refused.
            answer.fields.remove(ACCESS_CONTROL_ALLOW_ORIGIN);
        }
        asked
    }

    async fn ask(&self, url: &Url, reach: Option<Reach>, request: impl Fn() -> http::Result<Request<Bytes>>) -> Asked {
        let mut at = url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let answer = match timeout(PATIENCE, self.send(&at, reach, request())).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(why)) => return Asked::Nothing(why),
                Err(_) => return Asked::Nothing(format!("no whole answer within {} s", PATIENCE.as_secs())),
            };
            match target(&answer) {
                None => return Asked::Answered(Box::new(answer)),
                Some(to) if to.origin() == url.origin() => at = to,
                Some(to) => return Asked::Redirected(shown(&to)),
            }
        }
        Asked::Redirected(format!("{}, after {MOST_REDIRECTS} others", shown(&at)))
    }

    async fn send(
        &self,
        url: &Url,
        reach: Option<Reach>,
        request: http::Result<Request<Bytes>>,
    ) -> Result<Answer, String> {
        let mut request = request.map_err(|error| error.to_string())?;
        *request.uri_mut() = url.as_str().parse().map_err(|_| "the URL is not a valid URI".to_owned())?;
        request.headers_mut().insert(USER_AGENT, transport::USER_AGENT);
        let client = if is_this_machine(url) { &self.local } else { &self.remote };
        let request = HttpRequest { request, max_body_bytes: LONGEST, reach };
        let (parts, body) = client.send(request).await.map_err(|error| with_causes(&error))?.into_parts();
        let peer = parts.extensions.get().map(|PeerAddress(address)| *address);
        Ok(Answer { url: url.clone(), peer, status: parts.status, fields: parts.headers, body })
    }
}

/// Returns the target of a redirect.
fn target(answer: &Answer) -> Option<Url> {
    let is_redirect = matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = answer.fields.get(LOCATION).filter(|_| is_redirect)?.to_str().ok()?;
    answer.url.join(location).ok()
}

/// Reads a URL that a server names: https, or http on this machine, without credentials.
pub(super) fn allowed(text: &str) -> Option<Url> {
    let url = Transport::Secure.url(text).ok()?;
    (url.username().is_empty() && url.password().is_none()).then_some(url)
}
