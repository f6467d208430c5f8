//! Blame: what a good token was granted.

use std::fmt;

/// What a good token lacks for this endpoint.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessFault {
    /// A scope value that the endpoint needs was not granted (RFC 6750 section 3.1).
    InsufficientScope {
        /// The scope values to ask for, separated by spaces.
        required: String,
    },
    /// A claim that the endpoint needs is missing or has another value.
    RequiredClaims {
        /// The rule's claim: a name or a JSON Pointer; what did not fit, for typed claims.
        claim: String,
    },
}

impl AccessFault {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::InsufficientScope { .. } => "insufficient_scope",
            Self::RequiredClaims { .. } => "required_claims",
        }
    }

    pub(super) fn description(&self) -> &'static str {
        match self {
            Self::InsufficientScope { .. } => "Token is missing some required scope values",
            Self::RequiredClaims { .. } => "Token is missing some required claims",
        }
    }
}

impl fmt::Display for AccessFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InsufficientScope { required } => {
                write!(f, "the token was not granted all of the scope that is needed: {required}")
            }
            Self::RequiredClaims { claim } => write!(f, "a required claim is missing or has another value: {claim}"),
        }
    }
}
