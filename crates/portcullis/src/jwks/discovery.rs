//! From an issuer to the URL of its keys (OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3).

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use tokio::time::timeout;
use url::Url;

use super::{
    endpoint::{Described, Issuer, Place},
    fetch::{FetchError, Server, compressed},
    metadata::IssuerMetadata,
};
use crate::{
    configuration_error::ConfigurationError,
    keys::{Notation, without_byte_order_mark},
    shown_url::shown,
    transport::{PeerAddress, Reach, Transport},
};

/// The length of the longest URL that is followed: metadata fill no log and no terminal.
const LONGEST_URL: usize = 2048;

/// Metadata, and the address of their server.
type Found = (IssuerMetadata, Option<PeerAddress>);

/// Fetches the OpenID Connect metadata, or if there are none, those of RFC 8414.
///
/// A server may answer with an HTML page and status 200, or with another tenant's metadata, and may be slow: after
/// `patience` the other URL is asked, too. Only metadata that name this issuer end the search.
pub(super) async fn keys(
    server: &Server,
    issuer: &Issuer,
    transport: Transport,
    patience: Duration,
) -> Result<(Place, Described), FetchError> {
    let (openid, oauth) = (openid_url(&issuer.url), oauth_url(&issuer.url));
    let mut first = pin!(metadata(server, issuer, openid.clone()));
    let second = metadata(server, issuer, oauth.clone());
    let found = match timeout(patience, first.as_mut()).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => second.await.map_err(|other| (error, other)),
        Err(_) => either(first, pin!(second)).await,
    };
    let (metadata, peer) =
        found.map_err(|(one, other)| FetchError::Undiscovered(vec![(shown(&openid), one), (shown(&oauth), other)]))?;
    let reach = Reach::of_issuer(&issuer.url, peer.map(|PeerAddress(address)| address));
    let keys = place(&metadata.jwks_uri, reach, issuer, transport).map_err(FetchError::JwksUri)?;
    let described = described(metadata, &keys, reach, issuer, transport);
    Ok((keys, described))
}

/// The metadata from the first URL that has them.
async fn either(
    mut one: Pin<&mut impl Future<Output = Result<Found, FetchError>>>,
    mut other: Pin<&mut impl Future<Output = Result<Found, FetchError>>>,
) -> Result<Found, (FetchError, FetchError)> {
    let (mut of_one, mut of_other) = (None, None);
    poll_fn(|context| {
        if of_one.is_none()
            && let Poll::Ready(answer) = one.as_mut().poll(context)
        {
            match answer {
                Ok(found) => return Poll::Ready(Ok(found)),
                Err(error) => of_one = Some(error),
            }
        }
        if of_other.is_none()
            && let Poll::Ready(answer) = other.as_mut().poll(context)
        {
            match answer {
                Ok(found) => return Poll::Ready(Ok(found)),
                Err(error) => of_other = Some(error),
            }
        }
        match (&of_one, &of_other) {
            (Some(one), Some(other)) => Poll::Ready(Err((one.clone(), other.clone()))),
            _ => Poll::Pending,
        }
    })
    .await
}

/// The metadata at a URL.
async fn metadata(server: &Server, issuer: &Issuer, url: Url) -> Result<Found, FetchError> {
    let response = server.document(&Place::configured(url)).await?;
    let text = without_byte_order_mark(response.body());
    let metadata = IssuerMetadata::read(text).ok_or_else(|| {
        FetchError::NotMetadata(compressed(response.headers()).unwrap_or_else(|| Notation::of(response.body())))
    })?;
    if metadata.issuer != issuer.identifier {
        return Err(FetchError::WrongIssuer { expected: issuer.identifier.clone(), actual: metadata.issuer });
    }
    Ok((metadata, response.extensions().get().copied()))
}

/// The metadata without the endpoints that they may not lead to; each URL as it is requested, since a text may hold more than one shows
/// (line ends, invisible characters).
fn described(metadata: IssuerMetadata, keys: &Place, reach: Reach, issuer: &Issuer, transport: Transport) -> Described {
    let allowed = |url: Option<String>| Some(place(&url?, reach, issuer, transport).ok()?.url.into());
    let metadata = IssuerMetadata {
        jwks_uri: keys.url.to_string(),
        introspection_endpoint: allowed(metadata.introspection_endpoint),
        token_endpoint: allowed(metadata.token_endpoint),
        mtls_token_endpoint: allowed(metadata.mtls_token_endpoint),
        ..metadata
    };
    Described { metadata: Arc::new(metadata), reach }
}

/// The place at a URL in an issuer's metadata, if they may lead there; or the problem with it.
pub(super) fn place(text: &str, reach: Reach, issuer: &Issuer, transport: Transport) -> Result<Place, String> {
    if text.len() > LONGEST_URL {
        return Err(format!("expected a URL of at most {LONGEST_URL} characters, got a longer one"));
    }
    let url = transport.url(text).map_err(|problem| problem.to_string())?;
    // An https issuer may not choose http for its keys, nor for tokens.
    if url.scheme() == "http" && issuer.url.scheme() == "https" && transport == Transport::Secure {
        return Err(ConfigurationError::InsecureUrl { url: shown(&url) }.to_string());
    }
    if !reach.allows_literal(&url) {
        return Err(format!(
            "{} is on this machine or in a network that the issuer itself is not in: if this is intended, configure it as \
             `jwks_uri`",
            shown(&url)
        ));
    }
    let is_ours = url.origin() == issuer.url.origin();
    Ok(Place { url, reach: Some(reach), is_ours })
}

/// The metadata URL of OpenID Connect: the well-known part goes after the issuer's path.
fn openid_url(issuer: &Url) -> Url {
    let path = format!("{}/.well-known/openid-configuration", issuer.path().trim_end_matches('/'));
    with_path(issuer, &path)
}

/// The metadata URL of RFC 8414 section 3.1: the well-known part goes before the issuer's path.
fn oauth_url(issuer: &Url) -> Url {
    let path = format!("/.well-known/oauth-authorization-server{}", issuer.path().trim_end_matches('/'));
    with_path(issuer, &path)
}

fn with_path(issuer: &Url, path: &str) -> Url {
    let mut url = issuer.clone();
    url.set_path(path);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_part_stands_where_each_specification_says() {
        let table = [
            (
                "https://as.example",
                "https://as.example/.well-known/openid-configuration",
                "https://as.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://as.example/",
                "https://as.example/.well-known/openid-configuration",
                "https://as.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://as.example/t/1",
                "https://as.example/t/1/.well-known/openid-configuration",
                "https://as.example/.well-known/oauth-authorization-server/t/1",
            ),
        ];
        for (issuer, openid, oauth) in table {
            let issuer = Url::parse(issuer).unwrap();
            assert_eq!(openid_url(&issuer).as_str(), openid);
            assert_eq!(oauth_url(&issuer).as_str(), oauth);
        }
    }
}
