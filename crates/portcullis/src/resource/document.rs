//! The document about a resource, and the response to a request for it (RFC 9728 section 3).

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONTENT_TYPE,
    },
};
use serde::Serialize;

use super::Resource;
use crate::each_once::each_once;

/// The methods that the document answers.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

/// Clients in browsers read the document from anywhere: it is public, and the same for everyone.
const ANYONE: HeaderValue = HeaderValue::from_static("*");

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Five minutes: a new rule's scope is known soon, and clients that find out the server again and again cost little.
const CACHED: HeaderValue = HeaderValue::from_static("public, max-age=300");

const ONE_DAY: HeaderValue = HeaderValue::from_static("86400");

/// The metadata document of a protected resource (RFC 9728 section 2), for frameworks without a mounting of their own.
///
/// It is public: serve it without asking for a token.
///
/// # Example
///
/// ```
/// use portcullis::{JwksService, ProtectedResource, Secure, Verifier};
///
/// let issuer = Verifier::builder(JwksService::new("https://as.example.com/jwks")?).issuer("https://as.example.com");
/// let secure = Secure::protecting(ProtectedResource::new("https://mcp.example.com/mcp").issuer(issuer))?.scope(["files:read"]);
/// let document = secure.resource_document().expect("it protects a resource");
/// assert_eq!(document.path(), "/.well-known/oauth-protected-resource/mcp");
///
/// let response = document.response("GET");
/// assert_eq!(response.headers()["content-type"], "application/json");
/// let metadata: serde_json::Value = serde_json::from_slice(response.body()).expect("JSON");
/// assert_eq!(metadata["resource"], "https://mcp.example.com/mcp");
/// assert_eq!(metadata["scopes_supported"][0], "files:read");
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ResourceDocument {
    path: String,
    url: String,
    body: Bytes,
}

/// The members of the document, in the order of RFC 9728 section 2.
#[derive(Serialize)]
struct Metadata<'a> {
    resource: &'a str,
    authorization_servers: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes_supported: Vec<String>,
    bearer_methods_supported: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_documentation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_policy_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_tos_uri: Option<&'a str>,
    #[serde(flatten)]
    dpop: Option<DpopInDocument>,
}

/// The members about DPoP (RFC 9449).
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DpopInDocument {
    /// The algorithms of proofs.
    #[serde(rename = "dpop_signing_alg_values_supported")]
    pub(crate) algorithms: Vec<&'static str>,
    /// True if bearer tokens are refused.
    #[serde(rename = "dpop_bound_access_tokens_required", skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_required: bool,
}

impl ResourceDocument {
    /// The beginning of every document's path (RFC 9728 section 8.2).
    pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

    pub(super) fn of(resource: &Resource, takes_field: bool, dpop: Option<DpopInDocument>) -> Self {
        let rules = &resource.rules;
        let metadata = Metadata {
            resource: resource.identifier(),
            authorization_servers: &resource.authorization_servers,
            jwks_uri: rules.jwks_uri.as_deref(),
            scopes_supported: each_once(rules.scopes_supported.iter().cloned().chain(resource.scopes.values())),
            bearer_methods_supported: if takes_field { &["header"] } else { &[] },
            resource_name: rules.name.as_deref(),
            resource_documentation: rules.documentation.as_deref(),
            resource_policy_uri: rules.policy_uri.as_deref(),
            resource_tos_uri: rules.tos_uri.as_deref(),
            dpop,
        };
        Self {
            path: resource.identifier.metadata_path().to_owned(),
            url: resource.metadata_url().to_owned(),
            // Texts alone are written, which JSON can always hold.
            body: serde_json::to_vec(&metadata).unwrap_or_default().into(),
        }
    }

    /// The path at which clients ask for the document: `/.well-known/oauth-protected-resource`, and the path of the identifier.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The URL at which clients ask for the document, as challenges name it (`resource_metadata`).
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The document: a JSON object.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The response to a request for the document's path, by its method.
    ///
    /// `GET` and `HEAD` get the document, whose body the HTTP server leaves out for `HEAD`; `OPTIONS` gets the answer to a CORS
    /// preflight; any other method gets 405. Scripts of any origin may read the responses.
    #[must_use]
    pub fn response(&self, method: &str) -> Response<Bytes> {
        match method {
            "GET" | "HEAD" => {
                respond(StatusCode::OK, [(CONTENT_TYPE, JSON), (CACHE_CONTROL, CACHED)], self.body.clone())
            }
            "OPTIONS" => {
                let fields = [
                    (ALLOW, METHODS),
                    (ACCESS_CONTROL_ALLOW_METHODS, METHODS),
                    (ACCESS_CONTROL_ALLOW_HEADERS, ANYONE),
                    (ACCESS_CONTROL_MAX_AGE, ONE_DAY),
                ];
                respond(StatusCode::NO_CONTENT, fields, Bytes::new())
            }
            _ => respond(StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, METHODS)], Bytes::new()),
        }
    }
}

fn respond(
    status: StatusCode,
    fields: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    body: Bytes,
) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANYONE);
    headers.extend(fields);
    response
}
