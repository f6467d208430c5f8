//! The checks of a protected resource and its authorization servers, a row each.

use crate::refusal::check_kinds;

check_kinds! {
    /// A check of a protected resource, its metadata, or one of its authorization servers; declared in the order in which
    /// a client meets them.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::ResourceCheckKind;
    ///
    /// assert_eq!(ResourceCheckKind::Pkce.name(), "pkce");
    /// assert_eq!(ResourceCheckKind::Pkce.to_string(), "PKCE");
    /// assert_eq!(ResourceCheckKind::Pkce.reference(), "RFC 7636 section 4.3");
    /// ```
    ResourceCheckKind {
        /// The resource refuses a request without a token.
        Protected = "protected", "asks for a token", "RFC 6750 section 3";
        /// The resource answers at its URL, without a redirect.
        Address = "address", "no redirect", "RFC 9110 section 15.4";
        /// The refusal has a challenge for an access token.
        Challenge = "challenge", "WWW-Authenticate", "RFC 9110 section 11.6.1";
        /// The challenge names the URL of the resource's metadata.
        MetadataUrl = "metadata_url", "resource_metadata", "RFC 9728 section 5.1";
        /// The resource's metadata can be fetched.
        Metadata = "metadata", "metadata", "RFC 9728 section 3";
        /// The metadata are a JSON object.
        MetadataJson = "metadata_json", "metadata are JSON", "RFC 9728 section 3.2";
        /// The metadata have the media type of JSON.
        MetadataType = "metadata_type", "Content-Type", "RFC 9728 section 3.2";
        /// Clients in browsers may read the metadata.
        MetadataCors = "metadata_cors", "readable in browsers", "Fetch standard, CORS protocol";
        /// The metadata are at the well-known URI that clients make from the resource's URL.
        WellKnown = "well_known", "well-known URI", "RFC 9728 section 3.1";
        /// Known members of the metadata have the right form.
        Members = "members", "form of members", "RFC 9728 section 2";
        /// `resource` is the URL of the resource.
        Identifier = "identifier", "resource", "RFC 9728 section 3.3";
        /// `authorization_servers` names at least one issuer.
        AuthorizationServers = "authorization_servers", "authorization_servers", "RFC 9728 section 2";
        /// The resource takes tokens in the `Authorization` field.
        BearerMethods = "bearer_methods", "bearer_methods", "RFC 6750 section 2.1";
        /// The scopes of the challenge are published, and no others than the resource's own.
        Scopes = "scopes", "scopes", "RFC 9728 section 2";
        /// The authorization server's metadata can be fetched.
        ServerMetadata = "server_metadata", "metadata", "RFC 8414 section 3";
        /// `issuer` is the identifier by which the resource names the authorization server.
        Issuer = "issuer", "issuer", "RFC 8414 section 3.3";
        /// Users can authorize clients.
        Grant = "grant", "authorization code", "RFC 6749 section 4.1";
        /// There is an authorization endpoint.
        AuthorizationEndpoint = "authorization_endpoint", "authorization_endpoint", "RFC 8414 section 2";
        /// There is a token endpoint.
        TokenEndpoint = "token_endpoint", "token_endpoint", "RFC 8414 section 2";
        /// Every endpoint is an https URL.
        Endpoints = "endpoints", "https endpoints", "RFC 6749 section 3.1";
        /// PKCE with the method S256 is offered.
        Pkce = "pkce", "PKCE", "RFC 7636 section 4.3";
        /// Clients can register without a person.
        Registration = "registration", "registration", "RFC 7591 section 3";
        /// The authorization server offers the scopes of the resource.
        ScopesOffered = "scopes_offered", "scopes", "RFC 8414 section 2";
        /// The authorization server knows the resource, if it lists resources.
        ResourceListed = "resource_listed", "protected_resources", "RFC 9728 section 4";
        /// The authorization server publishes its keys.
        Keys = "keys", "jwks_uri", "RFC 8414 section 2";
        /// The authorization server names itself in its responses, if the resource has several.
        IssuerIdentification = "issuer_identification", "iss in responses", "RFC 9207 section 3";
    }
}
