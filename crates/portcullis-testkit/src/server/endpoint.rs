/// An endpoint of the authorization server: requests to it are counted, and faults are set on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// `GET /jwks`: the key set ([RFC 7517 section 5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).
    Jwks,
    /// `GET /.well-known/openid-configuration`: [OpenID Connect Discovery](https://openid.net/specs/openid-connect-discovery-1_0.html).
    OpenIdConfiguration,
    /// `GET /.well-known/oauth-authorization-server`: [RFC 8414](https://www.rfc-editor.org/rfc/rfc8414) metadata.
    OAuthMetadata,
    /// `POST /token`: the client credentials grant ([RFC 6749 section 4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4)).
    Token,
    /// `POST /introspect`: token introspection ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)).
    Introspection,
    /// `POST /rotate`: a new signing key; off unless the builder turns it on.
    Rotate,
    /// `GET /attacker/…`: the attacker's keys, which only the `jku` or `x5u` of a hostile token points to.
    ///
    /// A request here means that the API under test followed a URL from a token.
    Attacker,
}

impl Endpoint {
    /// Every endpoint, in the order of their declaration.
    pub const ALL: &[Self] = &[
        Self::Jwks,
        Self::OpenIdConfiguration,
        Self::OAuthMetadata,
        Self::Token,
        Self::Introspection,
        Self::Rotate,
        Self::Attacker,
    ];
}
