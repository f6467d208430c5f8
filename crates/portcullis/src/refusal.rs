//! Why a request is refused.
//!
//! A [`Refusal`] is sorted by blame: the request, the token, the access it grants, the keys or our
//! own configuration. It keeps what was expected and what came; its `Display` text is for operators
//! and carries neither token text nor claim values, and [`Refusal::description`] is what a client
//! may read.

use std::{fmt, time::Duration};

/// Why a request may not pass, by blame.
///
/// # Example
///
/// ```
/// use portcullis::refusal::{Refusal, TokenFault};
///
/// let refusal = Refusal::Token(TokenFault::Signature);
/// assert_eq!(refusal.code(), "bad_signature");
/// assert_eq!(refusal.to_string(), "the signature does not verify with the key that the token names");
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The request carries no token, or carries it in a way it must not.
    Request(RequestFault),
    /// The token is malformed, forged, out of time or not for us (RFC 6750 `invalid_token`).
    Token(TokenFault),
    /// The token is good, but does not grant what the endpoint asks for.
    Access(AccessFault),
    /// The token was not judged: the keys to judge it with could not be had.
    Keys(KeysFault),
    /// The token was not judged: the server is set up wrongly.
    Configuration(ConfigurationFault),
}

/// What is wrong with the way a request carries its credentials.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestFault {
    /// No place that may carry a token carries one.
    NoCredentials,
    /// The `Authorization` field has another scheme than `Bearer`.
    OtherScheme,
    /// The `Bearer` scheme is there, its token is not.
    EmptyToken,
    /// More than one token, or two `Authorization` fields (RFC 6750 section 2).
    SeveralTokens,
}

/// What is wrong with the token itself.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenFault {
    /// Longer than the configured limit, in bytes.
    TooLarge {
        /// The limit.
        limit: usize,
        /// The token's length.
        actual: usize,
    },
    /// Not made of `token68` characters (RFC 9110 section 11.2).
    Characters,
    /// Five parts: an encrypted token (JWE), which is not supported.
    Encrypted,
    /// Not three parts (RFC 7515 section 7.1).
    Segments {
        /// How many parts there are.
        actual: usize,
    },
    /// A part is not strict base64url (RFC 7515 section 2).
    Base64(Part),
    /// A part is not the JSON object it has to be.
    Json(Part, JsonFault),
    /// A header member has a wrong type or size.
    Header {
        /// The member's name.
        member: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// `crit` is there: no extension is understood (RFC 7515 section 4.1.11).
    Critical,
    /// `alg` is unknown, `none`, or not on the allow-list (RFC 8725 section 3.1).
    Algorithm {
        /// The algorithm that the header names.
        actual: Unverified,
    },
    /// `typ` is not that of an access token (RFC 8725 section 3.11).
    Type {
        /// The type that the header names; empty if it names none.
        actual: Unverified,
    },
    /// No key has this `kid`, or none fits a token without one.
    UnknownKey {
        /// The key that the header names.
        kid: Option<Unverified>,
    },
    /// The key with this `kid` is not made for the token's algorithm.
    KeyMismatch {
        /// The algorithm that the header names.
        algorithm: &'static str,
    },
    /// The signature does not verify.
    Signature,
    /// `exp` is in the past.
    Expired {
        /// How long ago.
        ago: Duration,
    },
    /// `nbf` is in the future.
    NotYetValid {
        /// How far ahead.
        ahead: Duration,
    },
    /// `iat` is in the future.
    IssuedInFuture {
        /// How far ahead.
        ahead: Duration,
    },
    /// A registered claim that has to be there is not.
    MissingClaim {
        /// The claim's name.
        name: &'static str,
    },
    /// A registered claim has a wrong type.
    MalformedClaim {
        /// The claim's name.
        name: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// `iss` is not an issuer that is trusted here.
    Issuer {
        /// The issuer that the token names.
        actual: Unverified,
    },
    /// `aud` names none of the audiences that are ours.
    Audience {
        /// The audiences, one of which has to be named.
        expected: Vec<String>,
    },
}

/// A part of a compact token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The first part.
    Header,
    /// The second part.
    Payload,
    /// The third part.
    Signature,
}

/// What is wrong with a JSON text.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonFault {
    /// Not JSON, or not UTF-8, or a number out of range.
    Syntax,
    /// JSON, but not an object.
    NotAnObject,
    /// A member name stands twice in one object.
    DuplicateMember,
    /// Nested deeper than the limit.
    TooDeep,
}

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

/// Why there are no keys to judge a token with.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeysFault {
    /// The key set cannot be had, and nothing usable is cached.
    Unavailable {
        /// When it is worth another try.
        retry_after: Duration,
    },
}

/// What is wrong with the server's own set-up.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigurationFault {
    /// An extractor stands behind no `Secure` layer.
    MissingLayer,
    /// The future was polled outside a tokio runtime, so no keys can be fetched.
    NoRuntime,
}

/// Text that a token claims about itself: kept for reports, hidden from `Debug` and `Display`.
///
/// It is cut to 256 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Unverified(Box<str>);

impl Unverified {
    const LONGEST: usize = 256;

    pub(crate) fn new(text: &str) -> Self {
        let end = (0..=Self::LONGEST.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
        Self(text.get(..end.unwrap_or(0)).unwrap_or_default().into())
    }

    /// The text itself. Nothing has vouched for it: never send it to a client, escape it in a log.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[unverified]")
    }
}

impl Refusal {
    /// The stable code, in `snake_case`: the same in logs, metrics, problem+json and every door.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Request(fault) => fault.code(),
            Self::Token(fault) => fault.code(),
            Self::Access(fault) => fault.code(),
            Self::Keys(KeysFault::Unavailable { .. }) => "keys_unavailable",
            Self::Configuration(ConfigurationFault::MissingLayer) => "missing_layer",
            Self::Configuration(ConfigurationFault::NoRuntime) => "no_runtime",
        }
    }

    /// What a client may read: no value of the token, no name of a server, no setting.
    #[must_use]
    pub fn description(&self) -> &'static str {
        match self {
            Self::Request(fault) => fault.description(),
            Self::Token(fault) => fault.description(),
            Self::Access(AccessFault::InsufficientScope { .. }) => "Token is missing some required scope values",
            Self::Access(AccessFault::RequiredClaims { .. }) => "Token is missing some required claims",
            Self::Keys(_) => "The token cannot be verified at the moment",
            Self::Configuration(_) => "The server is not set up to judge this request",
        }
    }
}

impl RequestFault {
    fn code(self) -> &'static str {
        match self {
            Self::NoCredentials => "no_credentials",
            Self::OtherScheme => "other_scheme",
            Self::EmptyToken => "empty_token",
            Self::SeveralTokens => "several_tokens",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::NoCredentials => "The request carries no access token",
            Self::OtherScheme => "The request's authorization scheme is not Bearer",
            Self::EmptyToken => "Bearer token is empty",
            Self::SeveralTokens => "The request carries more than one access token",
        }
    }
}

impl TokenFault {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "token_too_large",
            Self::Characters => "malformed_token",
            Self::Encrypted => "encrypted_token",
            Self::Segments { .. } => "malformed_token_parts",
            Self::Base64(_) => "malformed_base64",
            Self::Json(_, fault) => fault.code(),
            Self::Header { .. } => "malformed_header",
            Self::Critical => "critical_header",
            Self::Algorithm { .. } => "algorithm_not_allowed",
            Self::Type { .. } => "wrong_type",
            Self::UnknownKey { .. } => "unknown_key",
            Self::KeyMismatch { .. } => "key_mismatch",
            Self::Signature => "bad_signature",
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::IssuedInFuture { .. } => "issued_in_future",
            Self::MissingClaim { .. } => "missing_claim",
            Self::MalformedClaim { .. } => "malformed_claim",
            Self::Issuer { .. } => "wrong_issuer",
            Self::Audience { .. } => "wrong_audience",
        }
    }

    fn description(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "Token is too large",
            Self::Characters | Self::Segments { .. } | Self::Base64(_) | Self::Json(..) => "Token is malformed",
            Self::Encrypted => "Encrypted tokens are not supported",
            Self::Header { .. } | Self::Critical => "Token header is not acceptable",
            Self::Algorithm { .. } => "Token is signed with an algorithm that is not accepted",
            Self::Type { .. } => "Token is not an access token",
            Self::UnknownKey { .. } | Self::KeyMismatch { .. } => "Token is signed with an unknown key",
            Self::Signature => "Token signature is invalid",
            Self::Expired { .. } => "Token has expired",
            Self::NotYetValid { .. } | Self::IssuedInFuture { .. } => "Token is not valid yet",
            Self::MissingClaim { .. } => "Token is missing some required claims",
            Self::MalformedClaim { .. } => "Token has a malformed claim",
            Self::Issuer { .. } => "Token was issued by another authorization server",
            Self::Audience { .. } => "Token is meant for another audience",
        }
    }
}

impl JsonFault {
    fn code(self) -> &'static str {
        match self {
            Self::Syntax | Self::NotAnObject => "malformed_json",
            Self::DuplicateMember => "duplicate_member",
            Self::TooDeep => "nested_too_deep",
        }
    }
}

impl AccessFault {
    fn code(&self) -> &'static str {
        match self {
            Self::InsufficientScope { .. } => "insufficient_scope",
            Self::RequiredClaims { .. } => "required_claims",
        }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(fault) => fault.fmt(f),
            Self::Token(fault) => fault.fmt(f),
            Self::Access(fault) => fault.fmt(f),
            Self::Keys(fault) => fault.fmt(f),
            Self::Configuration(fault) => fault.fmt(f),
        }
    }
}

impl fmt::Display for RequestFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCredentials => "the request carries no access token",
            Self::OtherScheme => "expected the Bearer scheme in the Authorization field, another came",
            Self::EmptyToken => "Bearer token is empty",
            Self::SeveralTokens => {
                "expected one access token, the request carries several, or several Authorization fields"
            }
        })
    }
}

impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { limit, actual } => {
                write!(f, "expected a token of at most {limit} bytes, one of {actual} bytes came")
            }
            Self::Characters => f.write_str("the token has characters that no bearer token has (RFC 9110 token68)"),
            Self::Encrypted => {
                f.write_str("expected a signed token of three parts, an encrypted one (JWE, five parts) came")
            }
            Self::Segments { actual } => write!(f, "expected a token of three parts, one of {actual} came"),
            Self::Base64(part) => write!(f, "the token's {part} is not strict base64url"),
            Self::Json(part, fault) => write!(f, "the token's {part} {fault}"),
            Self::Header { member, expected } => write!(f, "expected the header member `{member}` to be {expected}"),
            Self::Critical => f.write_str("the header asks for an extension (crit); none is supported"),
            Self::Algorithm { .. } => f.write_str("the header's `alg` is not on the list of allowed algorithms"),
            Self::Type { .. } => f.write_str("the header's `typ` is not an accepted type of access token"),
            Self::UnknownKey { kid: Some(_) } => f.write_str("no key of the issuer's key set has the token's `kid`"),
            Self::UnknownKey { kid: None } => {
                f.write_str("the token names no key (kid), and no key of the issuer's key set fits its algorithm")
            }
            Self::KeyMismatch { algorithm } => {
                write!(f, "the key that the token names is not made for its algorithm, {algorithm}")
            }
            Self::Signature => f.write_str("the signature does not verify with the key that the token names"),
            Self::Expired { ago } => write!(f, "the token expired {} s ago", ago.as_secs()),
            Self::NotYetValid { ahead } => write!(f, "the token becomes valid in {} s (nbf)", ahead.as_secs()),
            Self::IssuedInFuture { ahead } => {
                write!(f, "the token was issued {} s in the future (iat): compare the clocks", ahead.as_secs())
            }
            Self::MissingClaim { name } => write!(f, "the token lacks the claim `{name}`"),
            Self::MalformedClaim { name, expected } => write!(f, "expected the claim `{name}` to be {expected}"),
            Self::Issuer { .. } => f.write_str("the token's `iss` is not a trusted issuer, to the letter"),
            Self::Audience { expected } => write!(f, "expected the token's `aud` to name one of {expected:?}"),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "is not JSON",
            Self::NotAnObject => "is not a JSON object",
            Self::DuplicateMember => "names a member twice",
            Self::TooDeep => "is nested too deep",
        })
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

impl fmt::Display for KeysFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Unavailable { retry_after } = self;
        write!(f, "the issuer's keys cannot be had at the moment; next try in {} s", retry_after.as_secs())
    }
}

impl fmt::Display for ConfigurationFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MissingLayer => "no Secure layer stands before this handler: add one to its route or router",
            Self::NoRuntime => "keys are fetched on a tokio runtime, and there is none here",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_token_says_of_itself_is_in_no_text() {
        let refusal = Refusal::Token(TokenFault::Issuer { actual: Unverified::new("https://secret.example") });
        for text in [refusal.to_string(), format!("{refusal:?}"), refusal.description().to_owned()] {
            assert!(!text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn unverified_text_is_cut_at_a_character() {
        assert_eq!(Unverified::new(&"é".repeat(1000)).reveal().len(), 256);
        assert_eq!(Unverified::new(&format!("a{}", "é".repeat(1000))).reveal().len(), 255);
    }

    #[test]
    fn the_texts_of_the_seed_stand_to_the_letter() {
        let scope = Refusal::Access(AccessFault::InsufficientScope { required: "a".into() });
        let claims = Refusal::Access(AccessFault::RequiredClaims { claim: "a".into() });
        assert_eq!(Refusal::Request(RequestFault::EmptyToken).description(), "Bearer token is empty");
        assert_eq!(scope.description(), "Token is missing some required scope values");
        assert_eq!(claims.description(), "Token is missing some required claims");
    }
}
