//! The token that every check of ours has passed.

use super::Claims;
use crate::{algorithm::Algorithm, token::Header};

/// An access token whose signature, times, issuer and audience were checked.
///
/// There is no way to make one but [`Verifier::verify`](crate::Verifier::verify).
///
/// # Example
///
/// ```
/// use portcullis::{Algorithm, VerifiedToken};
///
/// fn is_signed_on_a_curve(token: &VerifiedToken) -> bool {
///     matches!(token.algorithm(), Algorithm::ES256 | Algorithm::ES384 | Algorithm::ES512 | Algorithm::EdDSA)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct VerifiedToken {
    header: Header,
    claims: Claims,
}

impl VerifiedToken {
    pub(super) fn new(header: Header, claims: Claims) -> Self {
        Self { header, claims }
    }

    /// The claims.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The algorithm that it is signed with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.header.algorithm
    }

    /// The `kid` of the key that it is signed with, if its header names one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }
}
