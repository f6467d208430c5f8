//! The confirmation claim, which binds a token to a key of its sender (RFC 7800 section 3.1).

use crate::{json::Value, refusal::TokenFault};

/// The members that bind a token to a key whose possession a request can prove: by a DPoP proof (RFC 9449 section 6.1) or
/// by a client certificate (RFC 8705 section 3.1).
const PROVABLE: [&str; 2] = ["jkt", "x5t#S256"];

/// Refuses a token that is bound to a key, since proofs of possession are not supported.
///
/// The members of the claim decide the reason only.
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
