//! [`ProtectedResource`]: a resource, and the issuers whose tokens open it.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;

use super::{Secure, judge::Gate};
use crate::{
    configuration_error::ConfigurationError,
    resource::{Resource, ResourceDocument, ResourceRules},
    verifier::{Verifier, VerifierBuilder},
};

/// Describes a protected resource once (RFC 9728), for [`Secure::protecting`].
///
/// From the description come the expected audience of tokens, the document by which clients discover the resource, and the
/// members `scope` and `resource_metadata` of challenges.
///
/// # Example
///
/// ```
/// use axum::{Router, routing::get};
/// use portcullis::{ProtectedResource, Secure, Verifier};
///
/// let resource = ProtectedResource::new("https://api.example.com/orders")
///     .issuer(Verifier::discover("https://as.example.com")?)
///     .name("Orders");
/// let secure = Secure::protecting(resource)?.scope(["orders:read"]);
/// let app: Router = secure.protect(Router::new().route("/orders", get(|| async { "the orders" })));
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[derive(Debug, Default)]
#[must_use = "a description does nothing until `Secure::protecting`"]
pub struct ProtectedResource {
    pub(super) rules: ResourceRules,
    issuers: Vec<VerifierBuilder>,
}

impl ProtectedResource {
    /// The resource with this identifier: an https URL without query and fragment, as clients write it to the letter.
    ///
    /// Clients that follow RFC 9728 section 3.3 compare it with the URL that they call: name the URL of the API, as
    /// `https://mcp.example.com/mcp`.
    pub fn new(identifier: impl Into<String>) -> Self {
        let rules = ResourceRules { resource: identifier.into(), ..ResourceRules::default() };
        Self { rules, issuers: Vec::new() }
    }

    /// Takes all of the description at once, identifier included, in place of what was set so far; issuers stay.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{ProtectedResource, ResourceRules, Secure, Verifier};
    ///
    /// let rules: ResourceRules = serde_json::from_str(r#"{ "resource": "https://api.example.com", "name": "Orders" }"#)?;
    /// let resource = ProtectedResource::default().rules(rules).issuer(Verifier::discover("https://as.example.com")?);
    /// let secure = Secure::protecting(resource)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rules(mut self, rules: ResourceRules) -> Self {
        self.rules = rules;
        self
    }

    /// Accepts the tokens of an issuer; repeated calls add issuers, each with keys and rules of its own.
    ///
    /// If the builder names no [`audience`](VerifierBuilder::audience), its tokens have to name this resource in `aud`. Name another
    /// one for an authorization server that writes names of its own, as a client ID, into `aud`.
    pub fn issuer(mut self, issuer: VerifierBuilder) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// The name for people.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.rules.name = Some(name.into());
        self
    }

    /// The URL of the documentation for developers.
    pub fn documentation(mut self, url: impl Into<String>) -> Self {
        self.rules.documentation = Some(url.into());
        self
    }

    /// The URL of the requirements on the use of the data.
    pub fn policy_uri(mut self, url: impl Into<String>) -> Self {
        self.rules.policy_uri = Some(url.into());
        self
    }

    /// The URL of the terms of service.
    pub fn tos_uri(mut self, url: impl Into<String>) -> Self {
        self.rules.tos_uri = Some(url.into());
        self
    }

    /// Adds scope values that clients may ask for. Those that rules in use ask for are published without this.
    pub fn scopes_supported<T: Into<String>>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        self.rules.scopes_supported.extend(values.into_iter().map(Into::into));
        self
    }

    /// Sends clients to these authorization servers, in place of the issuers: to a server in front of them, for instance.
    pub fn authorization_servers<T: Into<String>>(mut self, servers: impl IntoIterator<Item = T>) -> Self {
        self.rules.authorization_servers.extend(servers.into_iter().map(Into::into));
        self
    }

    /// The URL of the resource's own keys.
    pub fn jwks_uri(mut self, url: impl Into<String>) -> Self {
        self.rules.jwks_uri = Some(url.into());
        self
    }

    /// The verifier of its tokens, and the resource.
    fn build(self) -> Result<(Verifier, Resource), ConfigurationError> {
        let Self { rules, mut issuers } = self;
        rules.check()?;
        for issuer in &mut issuers {
            issuer.default_audience(&rules.resource);
        }
        let names = issuers.iter().flat_map(VerifierBuilder::issuer_names).collect();
        let verifier = match <[VerifierBuilder; 1]>::try_from(issuers) {
            Ok([only]) => only.build()?,
            Err(several) => Verifier::any_of(several)?,
        };
        Ok((verifier, Resource::new(rules, names)?))
    }
}

impl Secure {
    /// A layer that protects a resource: it accepts tokens for that resource alone, tells clients where to get one, and publishes
    /// the resource's metadata (RFC 9728).
    ///
    /// With [`protect`](Self::protect) for axum, or [`metadata`](Self::metadata) for actix-web, the document is served beside the
    /// guarded routes. A clone with other rules is of the same resource, and its scope is in the same document while it is in
    /// use.
    ///
    /// A challenge names the scope that the endpoint needs, all of it at once, and the document's URL. The status for a bad token
    /// stays [as configured](Self::invalid_token_status). Clients in browsers read challenges only if your CORS layer exposes
    /// `WWW-Authenticate` (`Access-Control-Expose-Headers`); the document they can always read.
    ///
    /// # Errors
    ///
    /// The error of [`ResourceRules::check`]; of [`VerifierBuilder::build`] and [`Verifier::any_of`]; and
    /// [`ConfigurationError::Rule`] if there is no authorization server that clients can be sent to.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{Judging, Presented, ProtectedResource, Secure, Verifier};
    ///
    /// let issuer = Verifier::discover("https://as.example.com")?;
    /// let secure = Secure::protecting(ProtectedResource::new("https://api.example.com").issuer(issuer))?.scope(["read"]);
    /// let headers = http::HeaderMap::new();
    /// let Judging::Done(verdict) = secure.judge(&Presented::new(&headers)) else { panic!("no keys are needed") };
    /// let answer = secure.answer(&verdict.outcome.unwrap_err());
    /// assert_eq!(
    ///     answer.headers()["www-authenticate"],
    ///     "Bearer scope=\"read\", resource_metadata=\"https://api.example.com/.well-known/oauth-protected-resource\"",
    /// );
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn protecting(resource: ProtectedResource) -> Result<Self, ConfigurationError> {
        let (verifier, resource) = resource.build()?;
        Ok(Self { gate: Arc::new(Gate::of_resource(verifier, resource)) })
    }

    /// Tells whether there is a protected resource.
    ///
    /// Only then a door needs to ask for a [document](Self::metadata_response) or for the [content](Self::content_limit) of a request.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn protects_resource(&self) -> bool {
        self.gate.resource().is_some()
    }

    /// The document about the protected resource as it is now; none without a resource.
    ///
    /// For doors without a mounting of their own: serve [`ResourceDocument::response`] at [`ResourceDocument::path`], to everyone.
    #[must_use]
    pub fn resource_document(&self) -> Option<ResourceDocument> {
        self.gate.resource_document()
    }

    /// The response to a request for the protected resource's document, by method and path; none to any other request.
    ///
    /// The layer and the middleware give it before they look for a token.
    #[must_use]
    pub fn metadata_response(&self, method: &str, path: &str) -> Option<Response<Bytes>> {
        self.gate
            .resource()?
            .has_document_at(path)
            .then(|| self.resource_document())?
            .map(|document| document.response(method))
    }
}
