//! One request for a document of an authorization server, and the faults of answers.

use std::{error::Error, fmt, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_ENCODING, ETAG, IF_NONE_MATCH, USER_AGENT},
};

use super::{endpoint::Place, freshness::max_age};
use crate::{
    keys::{JwkSet, NotAJwkSet, Notation},
    refusal::ConfigurationFault,
    transport::{self, AnyHttpClient, BodyTooLong, BoxError, HttpRequest, with_causes},
};

/// The answer of a JWKS endpoint.
pub(super) struct Fetched {
    /// The document; none if it has not changed.
    pub(super) document: Option<JwkSet>,
    pub(super) etag: Option<HeaderValue>,
    pub(super) max_age: Duration,
}

/// The reason why a fetch failed.
#[derive(Debug, Clone)]
pub(super) enum FetchError {
    /// No whole answer in time.
    Timeout(Duration),
    /// The HTTP client's error, with its causes.
    Client(String),
    /// Another status than 200.
    Status(StatusCode),
    TooLarge {
        limit: usize,
    },
    NotAJwkSet(Notation),
    /// A key set of too many keys.
    TooManyKeys {
        limit: usize,
        actual: usize,
    },
    /// A key set without a usable key.
    NoUsableKeys {
        skipped: usize,
    },
    NotMetadata(Notation),
    /// Metadata that name another issuer (RFC 8414 section 3.3).
    WrongIssuer {
        expected: String,
        /// The issuer in the metadata, unchecked text.
        actual: String,
    },
    /// No URL with the issuer's metadata.
    Undiscovered(Vec<(String, FetchError)>),
    /// The file of the bearer token is unreadable.
    TokenFile {
        path: PathBuf,
        why: String,
    },
    /// The metadata's `jwks_uri` is not allowed.
    JwksUri(String),
    /// The metadata have no `token_endpoint`, or one that is not allowed.
    NoTokenEndpoint,
    /// The task of the fetch was interrupted.
    Interrupted,
    /// There is no tokio runtime.
    NoRuntime,
}

/// The means to ask a server.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) client: Arc<dyn AnyHttpClient>,
    pub(super) credentials: Credentials,
    pub(super) max_document_bytes: usize,
}

/// The credentials for the configured server; no other server gets them.
#[derive(Default, Clone)]
pub(super) struct Credentials {
    pub(super) fields: HeaderMap,
    /// Read for each request, since the file is renewed at run time.
    pub(super) bearer_token_file: Option<PathBuf>,
}

impl Server {
    /// Fetches a key set, if it has changed (RFC 9110 section 13.1.2).
    pub(super) async fn key_set(
        &self,
        place: &Place,
        etag: Option<&HeaderValue>,
        default_age: Duration,
    ) -> Result<Fetched, FetchError> {
        let (parts, body) = self.get(place, etag).await?.into_parts();
        let document = match parts.status {
            StatusCode::OK => Some(JwkSet::from_slice(&body).map_err(|NotAJwkSet { came, .. }| {
                FetchError::NotAJwkSet(compressed(&parts.headers).unwrap_or(came))
            })?),
            StatusCode::NOT_MODIFIED if etag.is_some() => None,
            status => return Err(FetchError::Status(status)),
        };
        Ok(Fetched { document, etag: parts.headers.get(ETAG).cloned(), max_age: max_age(&parts.headers, default_age) })
    }

    /// Fetches a JSON document.
    pub(super) async fn document(&self, place: &Place) -> Result<Response<Bytes>, FetchError> {
        let response = self.get(place, None).await?;
        if response.status() == StatusCode::OK { Ok(response) } else { Err(FetchError::Status(response.status())) }
    }

    async fn get(&self, place: &Place, etag: Option<&HeaderValue>) -> Result<Response<Bytes>, FetchError> {
        let mut request = Request::get(place.url.as_str())
            .header(ACCEPT, "application/json, application/jwk-set+json")
            .header(USER_AGENT, transport::USER_AGENT);
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let mut request = request.body(Bytes::new()).map_err(|error| FetchError::Client(error.to_string()))?;
        if place.is_ours {
            self.credentials.add_to(request.headers_mut()).await?;
        }
        let request = HttpRequest { request, max_body_bytes: self.max_document_bytes, reach: place.reach };
        let response = self.client.send(request).await.map_err(|error| self.failed(&error))?;
        if response.body().len() > self.max_document_bytes { Err(self.too_large()) } else { Ok(response) }
    }

    fn failed(&self, error: &BoxError) -> FetchError {
        if error.is::<BodyTooLong>() { self.too_large() } else { FetchError::Client(with_causes(error)) }
    }

    fn too_large(&self) -> FetchError {
        FetchError::TooLarge { limit: self.max_document_bytes }
    }
}

impl Credentials {
    async fn add_to(&self, fields: &mut HeaderMap) -> Result<(), FetchError> {
        // A user's field replaces a default one.
        for (name, value) in &self.fields {
            fields.insert(name, value.clone());
        }
        let Some(path) = self.bearer_token_file.clone() else { return Ok(()) };
        let unreadable = |why: String| FetchError::TokenFile { path: path.clone(), why };
        let from = path.clone();
        let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(from)).await;
        let token =
            read.map_err(|error| unreadable(error.to_string()))?.map_err(|error| unreadable(error.to_string()))?;
        let token = Some(token.trim()).filter(|token| !token.is_empty());
        let value = token.and_then(|token| HeaderValue::try_from(format!("Bearer {token}")).ok());
        let mut value = value.ok_or_else(|| unreadable("it holds no token".to_owned()))?;
        value.set_sensitive(true);
        fields.insert(AUTHORIZATION, value);
        Ok(())
    }
}

/// The notation of a compressed body; a client that decompresses bodies removes the field.
pub(super) fn compressed(headers: &HeaderMap) -> Option<Notation> {
    let coding = headers.get(CONTENT_ENCODING)?.to_str().ok()?.trim();
    (!coding.is_empty() && !coding.eq_ignore_ascii_case("identity")).then_some(Notation::Compressed)
}

impl FetchError {
    /// The error without names of issuers and addresses.
    pub(super) fn without_names(&self) -> &'static str {
        match self {
            Self::Timeout(_) => "no whole answer in time",
            Self::Undiscovered(_) | Self::WrongIssuer { .. } | Self::NotMetadata(_) => {
                "expected metadata of a tenant's issuer, got none"
            }
            _ => "the keys of a tenant could not be fetched",
        }
    }

    /// The expected issuer, and the other one that the metadata name.
    pub(super) fn other_issuer(&self) -> Option<(&str, &str)> {
        match self {
            Self::WrongIssuer { expected, actual } => Some((expected, actual)),
            Self::Undiscovered(answers) => answers.iter().find_map(|(_, error)| error.other_issuer()),
            _ => None,
        }
    }

    /// Tells whether no server gave a whole answer.
    pub(super) fn is_without_answer(&self) -> bool {
        match self {
            Self::Timeout(_) | Self::Client(_) => true,
            Self::Undiscovered(answers) => answers.iter().all(|(_, error)| error.is_without_answer()),
            _ => false,
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout(after) => write!(f, "no whole answer within {} s", after.as_secs_f64()),
            Self::Client(error) => f.write_str(error),
            Self::Status(status) if status.is_redirection() => {
                write!(f, "expected status 200, got {status}: redirects are not followed, configure the final URL")
            }
            Self::Status(status) => write!(f, "expected status 200, got {status}"),
            Self::TooLarge { limit } => {
                write!(
                    f,
                    "expected at most {limit} bytes, got more: if the document is right, raise `max_document_bytes`"
                )
            }
            Self::NotAJwkSet(came) => NotAJwkSet { came: *came }.fmt(f),
            Self::TooManyKeys { limit, actual } => {
                write!(f, "expected at most {limit} keys, got {actual}: if the key set is right, raise `max_keys`")
            }
            Self::NoUsableKeys { skipped } => {
                write!(f, "expected a key set with a usable key, got none ({skipped} skipped)")
            }
            Self::NotMetadata(came) => {
                write!(f, "expected metadata (a JSON object with the strings `issuer` and `jwks_uri`), got {came}")
            }
            Self::WrongIssuer { expected, actual } => {
                write!(f, "expected metadata of the issuer {expected}, to the letter, got {}", quoted(actual))?;
                match (actual.strip_suffix('/'), expected.strip_suffix('/')) {
                    (Some(actual), _) if actual == expected => f.write_str(": configure it with the slash at its end"),
                    (_, Some(expected)) if actual == expected => {
                        f.write_str(": configure it without the slash at its end")
                    }
                    _ => Ok(()),
                }
            }
            Self::Undiscovered(answers) => {
                let mut separator = "";
                answers.iter().try_for_each(|(url, error)| {
                    write!(f, "{separator}{url}: {error}")?;
                    separator = "; ";
                    Ok(())
                })
            }
            Self::TokenFile { path, why } => write!(f, "the file of the bearer token, {}: {why}", path.display()),
            Self::JwksUri(problem) => write!(f, "the metadata's jwks_uri: {problem}"),
            Self::NoTokenEndpoint => f.write_str(
                "expected a `token_endpoint` in the metadata, at https and in no network that the issuer itself is not in, got \
                 none: configure it as `endpoint`",
            ),
            Self::Interrupted => f.write_str("the fetch was interrupted"),
            Self::NoRuntime => ConfigurationFault::NoRuntime.fmt(f),
        }
    }
}

impl Error for FetchError {}

/// A server's text for a log: short, and with control characters escaped.
fn quoted(text: &str) -> String {
    const LONGEST: usize = 200;
    let cut: String = text.chars().take(LONGEST).collect();
    format!("{cut:?}")
}
