//! A protected resource, described once (RFC 9728): its identifier, and the document that clients discover it by.
//!
//! [`ResourceRules`] are the description as data. A [`Resource`] is made from them and the verifier's issuers; the challenge, the
//! document and the expected audience all come from it, so that they cannot disagree.
//!
//! - The identifier is compared to the letter everywhere: as `aud`, in the document, and by clients. `https://api.example.com/mcp`
//!   and `https://api.example.com/mcp/` are two resources.
//! - The document stands at one path: the well-known one, before the identifier's own path (RFC 9728 section 3.1).
//! - The document lists the scope values of the rules in use, and of those alone: [`ScopesInUse`].

mod document;
mod identifier;
mod in_use;
mod rules;

pub use document::ResourceDocument;

pub(crate) use document::DpopInDocument;
pub use rules::ResourceRules;

pub(crate) use in_use::{RegisteredScopes, ScopesInUse};

use identifier::Identifier;

use crate::{configuration_error::ConfigurationError, each_once::each_once, mcp::Mcp, policy::Policy};

/// A protected resource.
#[derive(Debug)]
pub(crate) struct Resource {
    identifier: Identifier,
    rules: ResourceRules,
    authorization_servers: Vec<String>,
    scopes: ScopesInUse,
}

impl Resource {
    /// The resource of these rules, whose tokens are from these issuers unless the rules name other authorization servers.
    ///
    /// # Errors
    ///
    /// [`ConfigurationError::Rule`] if the rules are invalid, or there is no authorization server to name.
    pub(crate) fn new(rules: ResourceRules, issuers: Vec<String>) -> Result<Self, ConfigurationError> {
        let identifier = rules.checked()?;
        let named = &rules.authorization_servers;
        let authorization_servers = each_once(if named.is_empty() { issuers } else { named.clone() });
        rules::check_authorization_servers(&authorization_servers)?;
        Ok(Self { identifier, rules, authorization_servers, scopes: ScopesInUse::default() })
    }

    /// The identifier, which is the audience of its tokens (RFC 8707 section 2).
    pub(crate) fn identifier(&self) -> &str {
        self.identifier.as_str()
    }

    /// The rules for operations, if the resource is an MCP server; scope values imply others as in this policy.
    pub(crate) fn mcp(&self, policy: &Policy) -> Option<Mcp> {
        self.rules.mcp.as_ref().map(|rules| Mcp::new(rules, self.identifier(), policy))
    }

    /// The URL of the document, as challenges name it (RFC 9728 section 5.1).
    pub(crate) fn metadata_url(&self) -> &str {
        self.identifier.metadata_url()
    }

    /// Publishes scope values for as long as the returned registration lives.
    pub(crate) fn register(&self, scopes: Vec<String>) -> RegisteredScopes {
        self.scopes.register(scopes)
    }

    /// Publishes scope values for as long as this resource lives.
    #[cfg(any(feature = "actix", feature = "axum", test))]
    pub(crate) fn publish(&self, scopes: &[&str]) {
        self.scopes.publish(scopes);
    }

    /// Tells whether the path is that of the document, to the letter.
    pub(crate) fn has_document_at(&self, path: &str) -> bool {
        self.identifier.metadata_path() == path
    }

    /// The document as it is now.
    ///
    /// `takes_field` tells whether tokens are taken from the `Authorization` field (RFC 6750 section 2.1), `dpop` that DPoP is accepted.
    pub(crate) fn document(&self, takes_field: bool, dpop: Option<DpopInDocument>) -> ResourceDocument {
        ResourceDocument::of(self, takes_field, dpop)
    }
}

#[cfg(test)]
mod tests;
