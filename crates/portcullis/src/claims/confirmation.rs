//! The confirmation claim, which binds a token to a key of its sender (RFC 7800 section 3.1).

use crate::{base64url, crypto::Digest, json::Value, refusal::TokenFault};

/// The keys that a token is bound to: the request has to prove possession of each.
///
/// # Example
///
/// ```
/// fn is_bound_by_dpop(token: &portcullis::VerifiedToken) -> bool {
///     token.confirmation().is_some_and(|confirmation| confirmation.key_thumbprint().is_some())
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmation {
    pub(crate) jkt: Option<Digest>,
    pub(crate) x5t_s256: Option<Digest>,
}

impl Confirmation {
    /// Reads `cnf`; none if the token is bound to no key.
    ///
    /// Members that no request can prove are ignored beside one that it can.
    pub(super) fn of(cnf: Option<Value<'_>>) -> Result<Option<Self>, TokenFault> {
        let Some(cnf) = cnf else { return Ok(None) };
        let expected = "an object with `jkt` or `x5t#S256`, each a SHA-256 in base64url";
        let malformed = || TokenFault::MalformedClaim { name: "cnf", expected };
        if cnf.members().next().is_none() {
            return Err(malformed());
        }
        let thumbprint = |name| cnf.get(name).map(|value| digest(value).ok_or_else(malformed)).transpose();
        let (jkt, x5t_s256) = (thumbprint("jkt")?, thumbprint("x5t#S256")?);
        if jkt.is_none() && x5t_s256.is_none() {
            return Err(TokenFault::UnsupportedConfirmation);
        }
        Ok(Some(Self { jkt, x5t_s256 }))
    }

    /// The thumbprint of the client's key (`jkt`, RFC 9449 section 6.1), 43 characters of base64url.
    #[must_use]
    pub fn key_thumbprint(&self) -> Option<String> {
        self.jkt.map(base64url::encode)
    }

    /// The thumbprint of the client's certificate (`x5t#S256`, RFC 8705 section 3.1), 43 characters of base64url.
    #[must_use]
    pub fn certificate_thumbprint(&self) -> Option<String> {
        self.x5t_s256.map(base64url::encode)
    }
}

fn digest(value: Value<'_>) -> Option<Digest> {
    base64url::decode(value.as_str()?)?.try_into().ok()
}
