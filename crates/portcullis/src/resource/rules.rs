//! The description of a protected resource, as data.

use serde::{Deserialize, Serialize};
use url::Url;

use super::identifier::Identifier;
use crate::{
    claims::is_scope_token, configuration_error::ConfigurationError, loopback::is_this_machine, mcp::McpRules,
    shown_url::marked,
};

/// The description of a protected resource (RFC 9728 section 2).
///
/// The builder methods of [`ProtectedResource`](crate::ProtectedResource) fill it, and
/// [`ProtectedResource::rules`](crate::ProtectedResource::rules) takes it whole: from a configuration file, by serde. Unknown
/// members are an error.
///
/// # Example
///
/// ```
/// use portcullis::ResourceRules;
///
/// let rules: ResourceRules = serde_json::from_str(r#"{
///     "resource": "https://api.example.com/orders",
///     "name": "Orders",
///     "documentation": "https://docs.example.com/orders",
///     "scopes_supported": ["orders:read"]
/// }"#)?;
/// rules.check()?;
///
/// let mut rules = ResourceRules::default();
/// rules.resource = "https://api.example.com/orders#1".into();
/// assert_eq!(
///     rules.check().unwrap_err().to_string(),
///     "`resource`: expected a URL without a fragment (RFC 9728 section 1.2), got \"https://api.example.com/orders#…\": take the \
///      `#` and all behind it off",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResourceRules {
    /// The identifier: an https URL without query and fragment, compared to the letter, a trailing slash included. http is for
    /// this machine alone.
    ///
    /// It is the audience of tokens from issuers whose rules name no other.
    pub resource: String,
    /// The name for people (`resource_name`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The URL of the documentation for developers (`resource_documentation`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documentation: Option<String>,
    /// The URL of the requirements on the use of the data (`resource_policy_uri`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// The URL of the terms of service (`resource_tos_uri`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// The scope values that clients may ask for, in addition to those that the rules in use ask for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<String>,
    /// The authorization servers that clients are sent to, by their issuer identifiers (RFC 8414 section 2); if empty, those that
    /// tokens are accepted from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_servers: Vec<String>,
    /// The URL of the resource's own keys: for tokens that are encrypted to it, and responses that it signs (`jwks_uri`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// The rules of an MCP server, if the resource is one; `true` stands for the default ones.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "crate::mcp::switch")]
    pub mcp: Option<McpRules>,
}

impl ResourceRules {
    /// Checks that each member is valid.
    ///
    /// # Errors
    ///
    /// [`ConfigurationError::Rule`], which names the first invalid member, the expected form, the actual text and the remedy.
    pub fn check(&self) -> Result<(), ConfigurationError> {
        self.checked().map(drop)
    }

    /// The same; returns the identifier.
    pub(super) fn checked(&self) -> Result<Identifier, ConfigurationError> {
        let Self { documentation, policy_uri, tos_uri, scopes_supported, authorization_servers, jwks_uri, .. } = self;
        let identifier =
            Identifier::new(&self.resource).map_err(|problem| ConfigurationError::rule("resource", problem))?;
        let pages = [("documentation", documentation), ("policy_uri", policy_uri), ("tos_uri", tos_uri)];
        for (field, page) in pages {
            page.as_deref().map_or(Ok(()), |page| check_page(field, page))?;
        }
        jwks_uri.as_deref().map_or(Ok(()), |uri| check_secure("jwks_uri", uri))?;
        for (index, server) in authorization_servers.iter().enumerate() {
            check_secure(&format!("authorization_servers[{index}]"), server)?;
        }
        if let Some((index, value)) = scopes_supported.iter().enumerate().find(|(_, value)| !is_scope_token(value)) {
            let problem = format!("expected one scope value, got {value:?}: write each value in quotes of its own");
            return Err(ConfigurationError::rule(format!("scopes_supported[{index}]"), problem));
        }
        self.mcp.as_ref().map_or(Ok(()), McpRules::check)?;
        Ok(identifier)
    }
}

/// Checks that clients have a server to go to, and that each is named by a URL whose metadata can be found (RFC 8414 section 3).
pub(super) fn check_authorization_servers(servers: &[String]) -> Result<(), ConfigurationError> {
    let problem = |problem: String| Err(ConfigurationError::rule("authorization_servers", problem));
    if servers.is_empty() {
        return problem(
            "expected an authorization server that clients can be sent to, got none: name the verifier's `issuer` (no template of tenants), or write \
             `authorization_servers`"
                .to_owned(),
        );
    }
    let is_issuer = |server: &&String| {
        let url = Url::parse(server).ok();
        url.is_some_and(|url| is_http(&url) && url.query().is_none() && url.fragment().is_none())
    };
    match servers.iter().find(|server| !is_issuer(server)) {
        Some(server) => problem(format!(
            "expected issuers that are URLs without query and fragment (RFC 8414 section 2), got {server:?}: write \
             `authorization_servers` with the URL that its metadata are found by"
        )),
        None => Ok(()),
    }
}

/// A page for people may be anywhere.
fn check_page(field: &str, text: &str) -> Result<(), ConfigurationError> {
    match Url::parse(text) {
        Ok(url) if is_http(&url) => Ok(()),
        _ => {
            let shown = marked(text);
            let problem =
                format!("expected the URL of a web page, got {shown:?}: write it whole, with its scheme and host");
            Err(ConfigurationError::rule(field, problem))
        }
    }
}

fn check_secure(field: &str, text: &str) -> Result<(), ConfigurationError> {
    match Url::parse(text) {
        Ok(url) if url.scheme() == "https" || (url.scheme() == "http" && is_this_machine(&url)) => Ok(()),
        _ => {
            let shown = marked(text);
            let problem =
                format!("expected an https URL, got {shown:?}: use https (http is fine on this machine alone)");
            Err(ConfigurationError::rule(field, problem))
        }
    }
}

fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "https" | "http")
}
