//! The confirmation claim: whether a token is bound to a key of its sender (RFC 7800 section 3.1).

use crate::{json::Value, refusal::TokenFault};

/// The members that bind a token to a key which a request can prove to have: by a DPoP proof (RFC 9449 section 6.1), by
/// a client certificate (RFC 8705 section 3.1).
const PROVABLE: [&str; 2] = ["jkt", "x5t#S256"];

/// Refuses a token that is bound to a key: whoever bears it has not proved to be its sender.
///
/// No proof is looked at so far, so the claim may not be there at all. What is in it only tells one reason from another.
pub(super) fn check(cnf: Option<Value<'_>>) -> Result<(), TokenFault> {
    let Some(cnf) = cnf else { return Ok(()) };
    let malformed = TokenFault::MalformedClaim { name: "cnf", expected: "an object with `jkt` or `x5t#S256`" };
    if cnf.members().next().is_none() {
        return Err(malformed);
    }
    let mut bound = PROVABLE.iter().filter_map(|name| cnf.get(name)).peekable();
    if bound.peek().is_none() {
        return Err(TokenFault::UnsupportedConfirmation);
    }
    let is_thumbprint = |value: Value<'_>| value.as_str().is_some_and(|text| !text.is_empty());
    Err(if bound.all(is_thumbprint) { TokenFault::SenderConstrained } else { malformed })
}
