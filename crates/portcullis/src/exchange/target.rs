//! The service that a token is exchanged for: [`Target`].

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{claims::is_scope_token, configuration_error::ConfigurationError, shown_url::marked};

/// The service that an exchanged token is for, and the scope that it grants (RFC 8693 section 2.1).
///
/// It is data: the gateway reads it from `portcullis.toml`. It needs an `audience` or a `resource`, one of which the exchanged token
/// has to name in `aud`.
///
/// # Example
///
/// ```
/// use portcullis::Target;
///
/// let target: Target = serde_json::from_str(r#"{ "audience": "inventory", "scope": ["stock:read"] }"#)?;
/// assert_eq!(target, Target::audience("inventory").scope(["stock:read"]));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Target {
    /// The name of the service at the authorization server, often its client identifier (`audience`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The absolute URI of the service (`resource`, RFC 8707).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The scope values to ask for; the server's default scope if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<String>,
    /// The type of token to ask for (`requested_token_type`).
    pub token_type: TargetTokenType,
}

/// The type of an exchanged token (RFC 8693 section 3).
///
/// # Example
///
/// ```
/// use portcullis::TargetTokenType;
///
/// assert_eq!(TargetTokenType::default().uri(), "urn:ietf:params:oauth:token-type:access_token");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TargetTokenType {
    /// An access token.
    #[default]
    AccessToken,
    /// A JWT that is used as an access token.
    Jwt,
}

impl TargetTokenType {
    /// Returns the URI of the type.
    #[must_use]
    pub fn uri(self) -> &'static str {
        match self {
            Self::AccessToken => ACCESS_TOKEN,
            Self::Jwt => "urn:ietf:params:oauth:token-type:jwt",
        }
    }

    /// Tells whether a token that was issued as this type may be used.
    pub(super) fn accepts(self, issued: &str) -> bool {
        issued == self.uri() || issued == ACCESS_TOKEN
    }
}

/// The type of access tokens (RFC 8693 section 3).
pub(super) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

impl Target {
    /// A target by its name at the authorization server.
    #[must_use]
    pub fn audience(name: impl Into<String>) -> Self {
        Self { audience: Some(name.into()), ..Self::default() }
    }

    /// A target by its absolute URI.
    #[must_use]
    pub fn resource(uri: impl Into<String>) -> Self {
        Self { resource: Some(uri.into()), ..Self::default() }
    }

    /// Asks for these scope values.
    #[must_use]
    pub fn scope<T: Into<String>>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        self.scope.extend(values.into_iter().map(Into::into));
        self
    }

    /// Asks for this type of token.
    #[must_use]
    pub fn token_type(self, token_type: TargetTokenType) -> Self {
        Self { token_type, ..self }
    }

    /// Checks the target.
    ///
    /// # Errors
    ///
    /// A [`ConfigurationError`] without `audience` and `resource`, or with an empty one, with a `resource` that is no absolute URI or has
    /// a fragment, and with a scope value that none can be (RFC 6749 section 3.3).
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::Target;
    ///
    /// assert!(Target::resource("https://inventory.example.com").check().is_ok());
    /// assert!(Target::resource("inventory").check().is_err());
    /// assert!(Target::default().check().is_err());
    /// ```
    pub fn check(&self) -> Result<(), ConfigurationError> {
        let problem = |field: &str, problem: String| Err(ConfigurationError::rule(field, problem));
        if self.audiences().next().is_none() {
            let text = "expected `audience` or `resource`, got neither: an exchanged token has to name its service";
            return problem("audience", text.into());
        }
        if self.audience.as_deref() == Some("") {
            return problem("audience", "expected the name of a service, got an empty text".into());
        }
        let is_absolute = |uri: &String| Url::parse(uri).is_ok_and(|url| url.fragment().is_none());
        if let Some(resource) = self.resource.as_ref().filter(|uri| !is_absolute(uri)) {
            return problem(
                "resource",
                format!(
                    "expected an absolute URI without a fragment as `resource`, got `{}`: other names are an `audience`",
                    marked(resource)
                ),
            );
        }
        if let Some(value) = self.scope.iter().find(|value| !is_scope_token(value)) {
            let text = format!("expected one scope value in each element of `scope`, got `{value}`");
            return problem("scope", text);
        }
        Ok(())
    }

    /// The names of the service, one of which has to be in `aud`.
    pub(super) fn audiences(&self) -> impl Iterator<Item = &str> {
        self.audience.as_deref().into_iter().chain(self.resource.as_deref())
    }
}

impl std::fmt::Display for Target {
    /// Writes `a token for audience inventory with scope stock:read`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a token")?;
        let named = [("audience", &self.audience), ("resource", &self.resource)];
        let named = named.iter().filter_map(|(kind, name)| Some((kind, name.as_ref()?)));
        for (at, (kind, name)) in named.enumerate() {
            write!(f, "{}{kind} {name}", if at == 0 { " for " } else { " and " })?;
        }
        if !self.scope.is_empty() {
            write!(f, " with scope {}", self.scope.join(" "))?;
        }
        Ok(())
    }
}
