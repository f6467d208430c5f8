//! The claims of an access token in an application's types.

use serde::Deserialize;

/// All claims.
#[derive(Debug, Deserialize)]
pub struct Claims {
    /// The issuer.
    pub iss: String,
    /// The subject.
    pub sub: String,
    /// The time of expiry.
    pub exp: u64,
    /// The time of issue.
    pub iat: u64,
    /// The token's id.
    pub jti: String,
    /// The client that requested the token.
    pub client_id: String,
    /// The permissions.
    #[serde(default)]
    pub scope: String,
    /// The user's name.
    #[serde(default)]
    pub name: String,
    /// The user's mail address.
    #[serde(default)]
    pub email: String,
    /// The user's roles.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// The claims that jwt-simple does not type itself.
#[derive(Debug, Deserialize)]
pub struct OwnClaims {
    /// The client that requested the token.
    pub client_id: String,
    /// The permissions.
    #[serde(default)]
    pub scope: String,
    /// The user's name.
    #[serde(default)]
    pub name: String,
    /// The user's mail address.
    #[serde(default)]
    pub email: String,
    /// The user's roles.
    #[serde(default)]
    pub roles: Vec<String>,
}
