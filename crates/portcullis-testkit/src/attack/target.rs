use crate::key::SigningKey;
use crate::token::TokenBuilder;

/// The good token and the URLs that an attack starts from.
pub(crate) struct Target {
    /// The good token that the hostile one resembles.
    pub(crate) token: TokenBuilder,
    /// The same token signed with the server's first key on a NIST curve, if it has one.
    pub(crate) elliptic: Option<TokenBuilder>,
    pub(crate) client_id: String,
    /// The URL prefix of the endpoints that serve the attacker's keys.
    pub(crate) attacker_url: String,
}

impl Target {
    /// The good token.
    pub(super) fn good(&self) -> TokenBuilder {
        self.token.clone()
    }

    /// The server's real key, which signs the good token.
    pub(super) fn key(&self) -> &SigningKey {
        self.token.key()
    }
}

/// Adds a member, `"name":value`, before the others of a JSON object's text.
pub(crate) fn prepend(member: &str, object: &[u8]) -> Vec<u8> {
    let rest = object.strip_prefix(b"{").unwrap_or(object);
    [b"{", member.as_bytes(), b",", rest].concat()
}
