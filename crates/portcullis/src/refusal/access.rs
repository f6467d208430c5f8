//! Faults of access: a good token does not grant enough.

use std::fmt;

/// The reason that a good token may not pass at this endpoint.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessFault {
    /// A scope value that the endpoint needs was not granted (RFC 6750 section 3.1).
    InsufficientScope {
        /// The scope values that the client should request, separated by spaces.
        required: String,
    },
    /// A claim that the endpoint needs is missing or has another value.
    RequiredClaims {
        /// The rule's claim: a name or a JSON Pointer; for typed claims, a text that names the type.
        claim: String,
    },
    /// The token has a claim that the endpoint forbids.
    ForbiddenClaim {
        /// The rule's claim: a name or a JSON Pointer.
        claim: String,
    },
    /// A rule of your own does not hold ([`Secure::rule`](crate::Secure::rule)).
    OwnRule {
        /// The rule's name, which is the code of this refusal.
        name: &'static str,
    },
}

impl AccessFault {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::InsufficientScope { .. } => "insufficient_scope",
            Self::RequiredClaims { .. } => "required_claims",
            Self::ForbiddenClaim { .. } => "forbidden_claim",
            Self::OwnRule { name } => name,
        }
    }

    pub(super) fn description(&self) -> &'static str {
        match self {
            Self::InsufficientScope { .. } => "Token is missing some required scope values",
            Self::RequiredClaims { .. } => "Token is missing some required claims",
            Self::ForbiddenClaim { .. } => "Token has a claim that it must not have here",
            Self::OwnRule { .. } => "Token does not meet a rule of this resource",
        }
    }
}

impl fmt::Display for AccessFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InsufficientScope { required } => {
                write!(f, "the token does not grant all of the required scope: {required}")
            }
            Self::RequiredClaims { claim } => write!(f, "a required claim is missing or has another value: {claim}"),
            Self::ForbiddenClaim { claim } => write!(f, "the token has a claim that the endpoint forbids: {claim}"),
            Self::OwnRule { name } => write!(f, "the rule `{name}` of the endpoint does not hold"),
        }
    }
}
