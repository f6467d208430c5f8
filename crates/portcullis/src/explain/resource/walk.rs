//! The way of a client: the resource, its metadata, those of each authorization server, and their keys.

use http::{Method, StatusCode};
use url::Url;

use super::{
    client::{Client, allowed},
    places,
    seen::{self, Asked, Attempt, Seen, Server, text, texts},
};
use crate::transport::Reach;

/// The most authorization servers that are asked.
const MOST_SERVERS: usize = 5;

/// Walks the whole way; a failure on it is part of the result.
pub(super) async fn walk(client: &Client, given: &str, url: Url, method: Option<&Method>) -> Seen {
    let first = first(client, &url, method).await;
    let challenges = seen::challenges(&first);
    let reach = reach(&url, &first);
    let well_known = places::of_resource(&url);
    let mut seen = Seen {
        text: given.to_owned(),
        url,
        first: Some(first),
        challenges,
        attempts: Vec::new(),
        well_known,
        servers: Vec::new(),
    };
    if !matches!(seen.first, Some(Asked::Nothing(_))) {
        seen.attempts = metadata(client, &seen, reach).await;
        seen.servers = servers(client, &seen, reach).await;
    }
    seen
}

/// Asks the resource by the given method; without one by GET, and by POST where GET is not for.
async fn first(client: &Client, url: &Url, method: Option<&Method>) -> Asked {
    let first = client.resource(url, method.unwrap_or(&Method::GET)).await;
    let is_other_method = matches!(&first, Asked::Answered(answer) if matches!(
        answer.status,
        StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_ACCEPTABLE
    ));
    if method.is_some() || !is_other_method {
        return first;
    }
    client.resource(url, &Method::POST).await
}

/// Asks for the resource's metadata: where the challenge says, at the well-known URI, and at that of the origin.
async fn metadata(client: &Client, seen: &Seen, reach: Reach) -> Vec<Attempt> {
    let named = seen.challenged("resource_metadata").and_then(allowed);
    let mut attempts = Vec::new();
    for url in named.iter().chain([&seen.well_known]) {
        if !attempts.iter().any(|attempt: &Attempt| attempt.url == *url) {
            attempts.push(client.document(url.clone(), reach).await);
        }
    }
    let of_origin = places::of_origin(&seen.url);
    if attempts.iter().all(|attempt| attempt.object().is_err() && attempt.url != of_origin) {
        attempts.push(client.document(of_origin, reach).await);
    }
    attempts
}

async fn servers(client: &Client, seen: &Seen, reach: Reach) -> Vec<Server> {
    let Some(metadata) = seen.metadata() else { return Vec::new() };
    let mut servers: Vec<Server> = Vec::new();
    for issuer in texts(&metadata, "authorization_servers").unwrap_or_default() {
        if servers.len() < MOST_SERVERS
            && !servers.iter().any(|server| server.issuer == issuer)
            && let Some(url) = identifier(issuer)
        {
            servers.push(server(client, issuer, &url, reach).await);
        }
    }
    servers
}

/// Reads an issuer identifier (RFC 8414 section 2): an allowed URL without query and fragment.
pub(super) fn identifier(issuer: &str) -> Option<Url> {
    allowed(issuer).filter(|url| url.query().is_none() && url.fragment().is_none())
}

async fn server(client: &Client, issuer: &str, url: &Url, reach: Reach) -> Server {
    let mut server = Server { issuer: issuer.to_owned(), attempts: Vec::new(), keys: None };
    for place in places::of_server(url) {
        let attempt = client.document(place, reach).await;
        let is_found = attempt.object().is_ok_and(|metadata| text(&metadata, "issuer") == Some(issuer));
        server.attempts.push(attempt);
        if is_found {
            break;
        }
    }
    let Some((attempt, metadata)) = server.metadata() else { return server };
    let Some(keys) = text(&metadata, "jwks_uri").and_then(allowed) else { return server };
    let reach = self::reach(url, &attempt.asked);
    server.keys = Some(client.document(keys, reach).await);
    server
}

/// Returns the addresses that URLs of this server may lead to.
fn reach(url: &Url, asked: &Asked) -> Reach {
    let peer = match asked {
        Asked::Answered(answer) => answer.peer,
        _ => None,
    };
    Reach::of_issuer(url, peer)
}
