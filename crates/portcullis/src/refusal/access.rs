//! Faults of access: a good token does not grant enough.

use std::{fmt, time::Duration};

/// The reason that a good token may not pass at this endpoint.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessFault {
    /// A scope value that the endpoint needs was not granted (RFC 6750 section 3.1).
    InsufficientScope {
        /// The scope values that the client should request, separated by spaces.
        required: String,
    },
    /// The user's authentication is of another kind than the endpoint needs, or too long ago (RFC 9470 section 3).
    InsufficientUserAuthentication {
        /// The authentication contexts (`acr`), one of which the endpoint needs; empty if it takes any.
        acr_values: Vec<String>,
        /// The longest accepted time since the authentication (`auth_time`), if there is a limit.
        max_age: Option<Duration>,
        /// True if the authentication is too long ago, or its time is unknown; false if its kind is another one.
        is_too_old: bool,
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
    /// The authorization server does not exchange the token for one of the upstream's (RFC 8693 section 2.2.2).
    ExchangeRefused {
        /// The server's error code; `unknown_issuer` if the token is of an issuer whose server is not asked.
        error: &'static str,
    },
    /// A rule of your own does not hold ([`Secure::rule`](crate::Secure::rule)).
    OwnRule {
        /// The rule's name, which is the code of this refusal.
        name: &'static str,
    },
}

/// The reason that a token is sent to no server for its exchange.
const NOT_OURS: &str = "unknown_issuer";

impl AccessFault {
    /// The refusal of a token of an issuer whose server is not asked.
    pub(crate) fn exchange_of_unknown_issuer() -> Self {
        Self::ExchangeRefused { error: NOT_OURS }
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::InsufficientScope { .. } => "insufficient_scope",
            Self::InsufficientUserAuthentication { .. } => "insufficient_user_authentication",
            Self::RequiredClaims { .. } => "required_claims",
            Self::ForbiddenClaim { .. } => "forbidden_claim",
            Self::ExchangeRefused { .. } => "exchange_refused",
            Self::OwnRule { name } => name,
        }
    }

    pub(super) fn description(&self) -> &'static str {
        match self {
            Self::InsufficientScope { .. } => "Token is missing some required scope values",
            Self::InsufficientUserAuthentication { is_too_old: false, .. } => {
                "A different authentication level is required"
            }
            Self::InsufficientUserAuthentication { is_too_old: true, .. } => "More recent authentication is required",
            Self::RequiredClaims { .. } => "Token is missing some required claims",
            Self::ForbiddenClaim { .. } => "Token has a claim that it must not have here",
            Self::ExchangeRefused { .. } => "Token cannot be exchanged for the service behind this resource",
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
            Self::InsufficientUserAuthentication { acr_values, is_too_old: false, .. } => {
                write!(
                    f,
                    "expected the token's `acr` to be one of {acr_values:?}: the user has to authenticate in that way"
                )
            }
            Self::InsufficientUserAuthentication { max_age, is_too_old: true, .. } => write!(
                f,
                "expected a user authenticated at most {} s ago (max_age, by `auth_time`): the user has to authenticate again",
                max_age.unwrap_or_default().as_secs()
            ),
            Self::RequiredClaims { claim } => write!(f, "a required claim is missing or has another value: {claim}"),
            Self::ForbiddenClaim { claim } => write!(f, "the token has a claim that the endpoint forbids: {claim}"),
            Self::ExchangeRefused { error: NOT_OURS } => f.write_str(
                "the token is of an issuer whose server is not asked for tokens for the upstream: add an exchange for it, or name \
                 the issuer at one",
            ),
            Self::ExchangeRefused { error } => write!(
                f,
                "the authorization server does not exchange the token for one of the upstream's: it answers `{error}`"
            ),
            Self::OwnRule { name } => write!(f, "the rule `{name}` of the endpoint does not hold"),
        }
    }
}
