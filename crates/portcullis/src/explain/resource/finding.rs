//! The mistakes that can be found, a row each.

use std::fmt;

/// Declares the findings: a row has the variant, its code, its weight, and the remedy.
macro_rules! findings {
    ($( $(#[$doc:meta])* $variant:ident = $code:literal, $weight:ident, $remedy:literal; )*) => {
        /// A mistake of a protected resource or of its authorization server, as clients meet it.
        ///
        /// An error stops some client, or breaks a rule that a specification calls required; a warning is a
        /// recommendation not followed, or a statement that may be incomplete.
        ///
        /// # Example
        ///
        /// ```
        /// use portcullis::ResourceFinding;
        ///
        /// let finding = ResourceFinding::NoPkce;
        /// assert_eq!(finding.code(), "no_pkce");
        /// assert!(!finding.is_warning());
        /// assert!(finding.remedy().contains("S256"));
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ResourceFinding { $( $(#[$doc])* $variant, )* }

        impl ResourceFinding {
            /// Every finding, in the order of the checks.
            pub const ALL: &[Self] = &[ $( Self::$variant, )* ];

            /// The stable code, in `snake_case`.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $( Self::$variant => $code, )* }
            }

            /// Tells whether it is a warning; otherwise it is an error.
            #[must_use]
            pub fn is_warning(self) -> bool {
                let weight = match self { $( Self::$variant => Weight::$weight, )* };
                weight == Weight::Warning
            }

            /// The remedy, in a sentence or two.
            #[must_use]
            pub fn remedy(self) -> &'static str {
                match self { $( Self::$variant => $remedy, )* }
            }
        }
    };
}

#[derive(PartialEq, Eq)]
enum Weight {
    Error,
    Warning,
}

findings! {
    /// The resource answers a request without a token.
    NotProtected = "not_protected", Error,
        "Guard this path: a client that gets an answer never starts to log in. If only other paths or methods are guarded, \
         name one of them: `--method` has the method.";
    /// The resource refuses a request without a token by another status than 401.
    WrongStatus = "wrong_status", Error,
        "Answer requests without a token with 401 and a `WWW-Authenticate` field, before anything else is checked. After \
         404, look at the URL; after any other status, the server's log has the reason.";
    /// The resource redirects a request without a token to another origin, often to a login page.
    RedirectsElsewhere = "redirects_elsewhere", Error,
        "Answer 401 instead of a redirect: API clients do not follow redirects to login pages, and send no token to another \
         origin.";
    /// The resource redirects to another path of its origin.
    Redirects = "redirects", Warning,
        "Publish the final URL, or answer at this one: after a redirect many clients drop the token or turn POST into GET. \
         Often only the slash at the end differs.";
    /// The 401 response has no `WWW-Authenticate`.
    NoChallenge = "no_challenge", Error,
        "Send `WWW-Authenticate: Bearer resource_metadata=\"URL of the metadata\"` with each 401; a proxy in between must \
         not remove it.";
    /// `WWW-Authenticate` cannot be read.
    MalformedChallenge = "malformed_challenge", Error,
        "Write the field as `Bearer name=\"value\", name=\"value\"`: values in quotes, commas between parameters.";
    /// No challenge is for an access token.
    NoBearerChallenge = "no_bearer_challenge", Error,
        "Add a challenge with the scheme `Bearer`; others may stand beside it.";
    /// The challenge does not name the metadata.
    NoMetadataUrl = "no_resource_metadata", Warning,
        "Add `resource_metadata=\"URL of the metadata\"` to the challenge: without it clients guess at the well-known URI.";
    /// `resource_metadata` is not an absolute URL.
    MalformedMetadataUrl = "malformed_metadata_url", Error,
        "Write an absolute https URL, with scheme and host; behind a proxy, the one that clients use.";
    /// `resource_metadata` is an http URL.
    InsecureMetadataUrl = "insecure_metadata_url", Error,
        "Write an https URL. A server behind a proxy that ends TLS often takes its own scheme for that of clients: \
         configure its public URL.";
    /// `resource_metadata` has another origin than the resource.
    MetadataElsewhere = "metadata_elsewhere", Warning,
        "Serve the metadata under the resource's own scheme, host and port: careful clients refuse them from elsewhere. \
         Behind a proxy, configure the public URL.";
    /// There are no metadata.
    NoMetadata = "no_metadata", Error,
        "Serve the metadata at the well-known URI without a token; at a proxy, route `/.well-known/oauth-protected-resource` \
         and all paths below it to the resource server, or to its gateway if that has the metadata.";
    /// The metadata are behind the guard.
    MetadataNeedToken = "metadata_need_token", Error,
        "Let requests for the well-known path pass without a token: clients have none before they have read the metadata. A \
         proxy that asks a gateway about each request forwards this path to the gateway itself, and asks nothing.";
    /// The metadata are behind a redirect to another origin.
    MetadataRedirect = "metadata_redirect", Error,
        "Answer with the document itself: clients do not trust another origin to describe this resource.";
    /// The metadata cannot be fetched: no connection, no whole answer in time, or one that is too long.
    MetadataUnreachable = "metadata_unreachable", Error,
        "Make the URL reachable for clients: check name, port and certificate. Behind a proxy, configure the public URL.";
    /// The metadata endpoint answers with another status than 200.
    MetadataStatus = "metadata_status", Error,
        "Answer GET requests for the metadata with status 200; the server's log has the reason of this status.";
    /// The metadata are a page of HTML.
    MetadataHtml = "metadata_html", Error,
        "A single-page application or a login page answers in place of the metadata: route the well-known path to the \
         resource server first.";
    /// The metadata are not a JSON object.
    MetadataNotJson = "metadata_not_json", Error,
        "Answer with one JSON object, each member once, uncompressed unless the client asks for more.";
    /// The metadata have another media type than JSON.
    WrongContentType = "wrong_content_type", Error,
        "Send `Content-Type: application/json`.";
    /// Scripts of other origins may not read the metadata.
    NoCors = "no_cors", Warning,
        "Send the metadata, which are public, to pages of any `Origin`, with `Access-Control-Allow-Origin: *`: clients in \
         browsers cannot read them otherwise.";
    /// The metadata are not at the well-known URI of the resource.
    NotWellKnown = "not_well_known", Warning,
        "Serve the metadata at this URI, too: clients that do not see the challenge, such as those in browsers, look there \
         first.";
    /// A member has the wrong form.
    MalformedMember = "malformed_member", Error,
        "Write lists as JSON arrays of strings, even of one element, and URLs as strings.";
    /// `resource` is missing.
    NoIdentifier = "no_identifier", Error,
        "Add `resource` with the URL by which clients use the resource.";
    /// `resource` is not an absolute https URL without a fragment.
    MalformedIdentifier = "malformed_identifier", Error,
        "Write `resource` as an absolute https URL without a fragment (http only on this machine). Behind a proxy, configure \
         the public URL.";
    /// `resource` is another URL.
    OtherIdentifier = "other_identifier", Error,
        "Write `resource` exactly as clients use the URL, with the public scheme, host, port and path: clients must not use \
         metadata of another resource.";
    /// `resource` differs from the URL by the slash at its end only.
    SlashIdentifier = "slash_identifier", Error,
        "Write `resource` and the URL that you publish either both with the slash at the end or both without: clients \
         compare them to the letter.";
    /// `resource` is the origin with a slash at its end, or the other way round.
    RootSlash = "root_slash", Warning,
        "Leave the slash out after the host: both forms are the same URL, but some authorization servers compare the \
         `resource` parameter to the letter.";
    /// `resource` is a parent of the URL.
    ParentIdentifier = "parent_identifier", Warning,
        "Clients that follow RFC 9728 to the letter need the whole URL as `resource`, with its path. For an API of many paths \
         its common beginning is usual, and most clients accept it.";
    /// `authorization_servers` is missing or empty.
    NoAuthorizationServers = "no_authorization_servers", Error,
        "Add `authorization_servers` with the issuer of the tokens: without it clients do not know where to get one.";
    /// An authorization server is not an https URL without query and fragment.
    MalformedAuthorizationServer = "malformed_authorization_server", Error,
        "Write the issuer as in its metadata: an https URL without query and fragment, not the URL of the metadata.";
    /// `bearer_methods_supported` lacks `header`.
    NoHeaderMethod = "no_header_method", Error,
        "Accept tokens in the `Authorization` field, and add `header` to `bearer_methods_supported` or leave it out: clients \
         send tokens there, and MCP allows no other place.";
    /// A scope of the challenge is not in `scopes_supported`.
    ScopeNotPublished = "scope_not_published", Warning,
        "Add the scope to `scopes_supported` of the resource, or correct its name in the challenge.";
    /// The resource asks for `offline_access`.
    OfflineAccess = "offline_access", Warning,
        "Leave `offline_access` out: it is for the client to ask for refresh tokens, no resource needs it.";
    /// The authorization server has no metadata.
    NoServerMetadata = "no_server_metadata", Error,
        "Write the issuer in `authorization_servers` as the server itself does, or have it publish metadata (RFC 8414, or \
         OpenID Connect Discovery) at one of these URLs.";
    /// The authorization server cannot be reached.
    ServerUnreachable = "server_unreachable", Error,
        "Name the authorization server by an address that clients can reach: not that of a container or an internal network. \
         Check name, port and certificate.";
    /// The authorization server's metadata are not JSON.
    ServerMetadataNotJson = "server_metadata_not_json", Error,
        "Have the authorization server answer with its metadata at one of these URLs; a proxy or a login page may stand \
         before it.";
    /// The metadata name another issuer.
    OtherIssuer = "other_issuer", Error,
        "Write the issuer in `authorization_servers` exactly as in its metadata, or correct the server's public URL: clients \
         must not use metadata of another issuer.";
    /// The issuers differ by the slash at the end only.
    SlashIssuer = "slash_issuer", Error,
        "Write the issuer in `authorization_servers` with or without the slash at its end, as in its metadata: clients \
         compare both to the letter. Some libraries add the slash to a URL without a path.";
    /// The authorization server does not offer the authorization code grant.
    NoAuthorizationCode = "no_authorization_code", Warning,
        "Allow the grant `authorization_code`, unless all clients are programs without users.";
    /// There is no authorization endpoint.
    NoAuthorizationEndpoint = "no_authorization_endpoint", Error,
        "Add `authorization_endpoint` to the authorization server's metadata: clients send users there.";
    /// There is no token endpoint.
    NoTokenEndpoint = "no_token_endpoint", Error,
        "Add `token_endpoint` to the authorization server's metadata.";
    /// An endpoint is not an https URL.
    InsecureEndpoint = "insecure_endpoint", Error,
        "Have the metadata name https URLs; behind a proxy that ends TLS, configure the authorization server's public URL.";
    /// The authorization server says nothing of PKCE.
    NoPkce = "no_pkce", Error,
        "Add `\"code_challenge_methods_supported\": [\"S256\"]` to the metadata of the authorization server, and support PKCE: \
         MCP clients must not go on without.";
    /// The authorization server does not offer S256.
    NoS256 = "no_s256", Error,
        "Support the PKCE method S256, and name it in `code_challenge_methods_supported`; `plain` protects nothing.";
    /// Clients cannot register by themselves.
    NoRegistration = "no_registration", Warning,
        "Support client ID metadata documents (`client_id_metadata_document_supported`) or dynamic registration \
         (`registration_endpoint`), or tell users the client id to configure.";
    /// A scope of the resource is not among those of the authorization server.
    ScopeNotOffered = "scope_not_offered", Warning,
        "Create the scope at the authorization server, or correct its name at the resource: a scope that is never granted \
         keeps every client out.";
    /// The authorization server lists resources, and not this one.
    ResourceNotListed = "resource_not_listed", Warning,
        "Register the resource at the authorization server by exactly this identifier: requests for its tokens (RFC 8707) \
         fail otherwise with `invalid_target`.";
    /// The authorization server publishes no keys.
    NoKeys = "no_keys", Warning,
        "Add `jwks_uri` to the authorization server's metadata, or have the resource server introspect tokens.";
    /// The keys cannot be fetched.
    KeysUnreachable = "keys_unreachable", Error,
        "Have `jwks_uri` lead to the key set: without it no resource server can verify tokens. `portcullis keys` shows more.";
    /// The key set has no usable key.
    NoUsableKeys = "no_usable_keys", Error,
        "Publish a key for signatures; `portcullis keys` tells what is wrong with each.";
    /// The authorization server does not name itself in its responses.
    NoIssuerIdentification = "no_issuer_identification", Warning,
        "Have the authorization server send `iss` (RFC 9207) and say so by \
         `authorization_response_iss_parameter_supported`: with several servers a client could mix up their responses.";
}

impl fmt::Display for ResourceFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
