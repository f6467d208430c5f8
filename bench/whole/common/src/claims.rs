//! The claims of an access token, as an application would type them.

use serde::Deserialize;

/// All of them.
#[derive(Debug, Deserialize)]
pub struct Claims {
    /// Who issued the token.
    pub iss: String,
    /// Who it speaks for.
    pub sub: String,
    /// When it ends.
    pub exp: u64,
    /// When it was issued.
    pub iat: u64,
    /// Its own id.
    pub jti: String,
    /// The client that asked for the token.
    pub client_id: String,
    /// What it may do.
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

/// Those of them that jwt-simple does not type by itself.
#[derive(Debug, Deserialize)]
pub struct OwnClaims {
    /// The client that asked for the token.
    pub client_id: String,
    /// What it may do.
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
