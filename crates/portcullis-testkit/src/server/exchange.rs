//! The faults of token exchange.

use super::AuthorizationServer;
use crate::sync::lock;

/// A way in which the server answers token exchanges ([RFC 8693]) wrongly.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use portcullis_testkit::{AuthorizationServer, ExchangeFault};
///
/// let server = AuthorizationServer::start().await;
/// server.exchange_fault(Some(ExchangeFault::OtherAudience));
/// # }
/// ```
///
/// [RFC 8693]: https://www.rfc-editor.org/rfc/rfc8693
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExchangeFault {
    /// Answers with status 400 and this error code.
    Refused(&'static str),
    /// Issues a token for another audience.
    OtherAudience,
    /// Issues a token of another subject.
    OtherSubject,
    /// Issues a token that expires an hour after the subject's.
    LongerLived,
    /// Issues a token without an expiry.
    Endless,
    /// Issues a token with `alg` `none` and no signature.
    Unsigned,
    /// Issues a token with another key's signature.
    OtherKey,
    /// Issues a token of another issuer.
    OtherIssuer,
    /// Issues an expired token.
    Expired,
    /// Issues a token that is bound to a key (`cnf`).
    Bound,
    /// Answers with this `issued_token_type`; an empty one is left out.
    IssuedTokenType(&'static str),
    /// Answers with this `token_type`; an empty one is left out.
    TokenType(&'static str),
    /// Issues an opaque token, which is no fault by itself.
    Opaque,
    /// Answers with the subject token.
    Echo,
    /// Answers with this text as the token.
    Text(&'static str),
}

impl AuthorizationServer {
    /// Answers each token exchange with this fault, or with none.
    pub fn exchange_fault(&self, fault: Option<ExchangeFault>) {
        *lock(&self.state().exchange_fault) = fault;
    }
}
