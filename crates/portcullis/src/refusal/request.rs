//! Faults of the way that a request carries its credentials.

use std::fmt;

/// The fault of the way that a request carries its credentials.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestFault {
    /// No permitted place carries a token.
    NoCredentials,
    /// The `Authorization` field has another scheme than `Bearer`.
    OtherScheme,
    /// The `Bearer` scheme without a token.
    EmptyToken,
    /// More than one token, or two `Authorization` fields (RFC 6750 section 2).
    SeveralTokens,
}

impl RequestFault {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::NoCredentials => "no_credentials",
            Self::OtherScheme => "other_scheme",
            Self::EmptyToken => "empty_token",
            Self::SeveralTokens => "several_tokens",
        }
    }

    pub(super) fn description(self) -> &'static str {
        match self {
            Self::NoCredentials => "The request carries no access token",
            Self::OtherScheme => "The request's authorization scheme is not Bearer",
            Self::EmptyToken => "Bearer token is empty",
            Self::SeveralTokens => "The request carries more than one access token",
        }
    }
}

impl fmt::Display for RequestFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCredentials => "the request carries no access token",
            Self::OtherScheme => "expected the Bearer scheme in the Authorization field, got another",
            Self::EmptyToken => "Bearer token is empty",
            Self::SeveralTokens => "expected one access token, got several, or several Authorization fields",
        })
    }
}
