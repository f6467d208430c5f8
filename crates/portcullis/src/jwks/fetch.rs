//! One request for a document of an authorization server, and what may be wrong with the answer.

use std::{error::Error, fmt, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, StatusCode,
    header::{ACCEPT, ETAG, IF_NONE_MATCH},
};
use url::Url;

use super::freshness::max_age;
use crate::{
    keys::JwkSet,
    refusal::ConfigurationFault,
    transport::{AnyHttpClient, HttpRequest, with_causes},
};

/// The longest document that is read.
const MAX_BODY_BYTES: usize = 512 * 1024;

/// A key set, as the endpoint gave it.
pub(super) struct Fetched {
    /// The document; none if it is still the one we have.
    pub(super) document: Option<JwkSet>,
    pub(super) etag: Option<HeaderValue>,
    pub(super) max_age: Duration,
}

/// Why a document could not be had.
#[derive(Debug, Clone)]
pub(super) enum FetchError {
    /// No whole answer within the time.
    Timeout(Duration),
    /// The client's own error, with its causes.
    Client(String),
    /// Another status than 200.
    Status(StatusCode),
    TooLarge,
    NotAJwkSet,
    /// A key set without a key that can be used.
    NoUsableKeys {
        skipped: usize,
    },
    NotMetadata,
    /// The metadata names another issuer (RFC 8414 section 3.3).
    WrongIssuer {
        expected: String,
    },
    /// The metadata's `jwks_uri` may not be fetched.
    JwksUri(String),
    /// The task that fetched ended before its time.
    Interrupted,
    /// There is no runtime to fetch on.
    NoRuntime,
}

/// Fetches a key set, or hears that it has not changed (RFC 9110 section 13.1.2).
pub(super) async fn key_set(
    client: &dyn AnyHttpClient,
    url: &Url,
    etag: Option<&HeaderValue>,
    default_age: Duration,
) -> Result<Fetched, FetchError> {
    let (status, headers, body) = get(client, url, etag).await?;
    let document = match status {
        StatusCode::OK => Some(JwkSet::from_slice(&body).map_err(|_| FetchError::NotAJwkSet)?),
        StatusCode::NOT_MODIFIED if etag.is_some() => None,
        _ => return Err(FetchError::Status(status)),
    };
    Ok(Fetched { document, etag: headers.get(ETAG).cloned(), max_age: max_age(&headers, default_age) })
}

/// Fetches a JSON document.
pub(super) async fn document(client: &dyn AnyHttpClient, url: &Url) -> Result<Bytes, FetchError> {
    match get(client, url, None).await? {
        (StatusCode::OK, _, body) => Ok(body),
        (status, ..) => Err(FetchError::Status(status)),
    }
}

async fn get(
    client: &dyn AnyHttpClient,
    url: &Url,
    etag: Option<&HeaderValue>,
) -> Result<(StatusCode, HeaderMap, Bytes), FetchError> {
    let mut request = Request::get(url.as_str()).header(ACCEPT, "application/json, application/jwk-set+json");
    if let Some(etag) = etag {
        request = request.header(IF_NONE_MATCH, etag);
    }
    let request = request.body(Bytes::new()).map_err(|error| FetchError::Client(error.to_string()))?;
    let request = HttpRequest { request, max_body_bytes: MAX_BODY_BYTES };
    let response = client.send(request).await.map_err(|error| FetchError::Client(with_causes(&error)))?;
    let (parts, body) = response.into_parts();
    if body.len() > MAX_BODY_BYTES {
        return Err(FetchError::TooLarge);
    }
    Ok((parts.status, parts.headers, body))
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout(after) => write!(f, "no whole answer within {} s", after.as_secs_f64()),
            Self::Client(error) => f.write_str(error),
            Self::Status(status) if status.is_redirection() => {
                write!(f, "expected status 200, {status} came: redirects are not followed, name the final URL")
            }
            Self::Status(status) => write!(f, "expected status 200, {status} came"),
            Self::TooLarge => write!(f, "the answer is longer than {MAX_BODY_BYTES} bytes"),
            Self::NotAJwkSet => f.write_str("expected a JWK Set: a JSON object with an array `keys`"),
            Self::NoUsableKeys { skipped } => {
                write!(f, "the key set has no key that can be used ({skipped} skipped)")
            }
            Self::NotMetadata => {
                f.write_str("expected metadata: a JSON object with the strings `issuer` and `jwks_uri`")
            }
            Self::WrongIssuer { expected } => {
                write!(f, "the metadata is that of another issuer than {expected}, which it must name to the letter")
            }
            Self::JwksUri(problem) => write!(f, "the metadata's jwks_uri: {problem}"),
            Self::Interrupted => f.write_str("the fetch was interrupted"),
            Self::NoRuntime => ConfigurationFault::NoRuntime.fmt(f),
        }
    }
}

impl Error for FetchError {}
