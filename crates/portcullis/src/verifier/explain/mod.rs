//! Why a token passes or is refused, check by check: an [`Explanation`].
//!
//! It is made by the functions that verification is made of, and goes on past a failure where that is safe: nothing that it
//! says opens anything. The first check that failed is the refusal that verification gives.

mod expected;
mod hint;
mod serialize;
mod walk;
mod words;

pub(super) use walk::explain;

use std::{fmt, time::SystemTime};

use serde_json::Value;

use crate::refusal::{AccessFault, Part, Refusal, TokenFault, UnavailableFault};

/// Why a token passes or is refused, check by check.
///
/// It is for operators: what a token says of itself stands in it, marked as long as no signature vouches for it. Never send
/// it to an HTTP client.
///
/// # Example
///
/// ```
/// use std::time::SystemTime;
/// use portcullis::{CheckKind, JwksService, Outcome, Verifier};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis::ConfigurationError> {
/// let verifier: Verifier = JwksService::new("https://as.example.com/jwks")?.into();
/// let explanation = verifier.explain("an-opaque-token", SystemTime::now()).await;
/// let failed = explanation.first_failure().expect("it is refused");
/// assert_eq!(failed.kind, CheckKind::Segments);
/// assert!(failed.hint.as_deref().unwrap_or_default().contains("opaque"));
///
/// let report = serde_json::to_value(&explanation).expect("it is data");
/// assert_eq!(report["verdict"], "refused");
/// assert_eq!(report["code"], "malformed_token_parts");
/// # Ok(()) }
/// ```
///
/// As data it has `verdict`, `code`, `reason`, `now`, `vouched`, `header`, `claims` and `checks`; each check has `check`, `title`,
/// `outcome`, `code`, `expected`, `actual` (with `text` and `vouched`), `reference` and `hint`. What is not there is null.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Explanation {
    /// Each check, in the order in which verification makes them.
    pub checks: Vec<Check>,
    /// The time by which the token was judged.
    pub now: SystemTime,
    /// The token's header, if it can be read; as it came, so that it has to be escaped where it is shown.
    pub header: Option<Value>,
    /// The token's claims, if they can be read; as they came.
    pub claims: Option<Value>,
    /// Whether a signature, or the authorization server, vouches for header and claims.
    pub vouched: bool,
}

/// One check: what was expected, what came, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// Which check it is.
    pub kind: CheckKind,
    /// How it ended.
    pub outcome: Outcome,
    /// What was expected.
    pub expected: Option<String>,
    /// What came.
    pub actual: Option<Fact>,
    /// The likely cause of a failure, and what to do.
    pub hint: Option<String>,
}

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The token is right in this point.
    Passed,
    /// It is not.
    Failed(Refusal),
    /// It was not judged: what would be looked at is missing, since an earlier check failed.
    NotReached,
    /// Nothing is asked for in this point.
    NotAsked,
}

/// What came, as text of 256 characters at the most, without any that steer a terminal or hide.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fact {
    /// The text.
    pub text: String,
    /// Whether it can be believed: we measured it, or a signature, or the authorization server, vouches for it.
    pub vouched: bool,
}

/// A check, of all that there are; declared in the order in which verification makes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CheckKind {
    /// The request carries one token, in a way that it may.
    Credentials,
    /// The token is not too long.
    Size,
    /// It has only characters that a bearer token may have.
    Characters,
    /// It has three parts.
    Segments,
    /// The authorization server says that it is active; asked about opaque tokens only.
    Introspection,
    /// Its header is base64url.
    HeaderEncoding,
    /// Its header is a JSON object.
    HeaderJson,
    /// Its header asks for no extension.
    Extensions,
    /// `kid`, `typ` and `alg` are texts.
    HeaderMembers,
    /// `alg` is an algorithm that exists.
    AlgorithmKnown,
    /// Its payload is base64url.
    PayloadEncoding,
    /// Its payload is a JSON object.
    PayloadJson,
    /// Its signature is base64url.
    SignatureEncoding,
    /// `iss` is an issuer whose keys are known.
    IssuerKnown,
    /// `alg` is allowed for this issuer.
    AlgorithmAllowed,
    /// `typ` is that of an access token.
    Type,
    /// The issuer has the key.
    KeyFound,
    /// The key is for this algorithm.
    KeySuitable,
    /// The signature verifies.
    Signature,
    /// `exp` is to come.
    Expiry,
    /// `nbf` has passed.
    NotBefore,
    /// `iat` has passed.
    IssuedAt,
    /// `iss` is the issuer's.
    Issuer,
    /// `aud` names us.
    Audience,
    /// The claims are there that RFC 9068 asks for.
    RequiredClaims,
    /// The scope values are there that the endpoint asks for.
    Scope,
    /// The claims are there, with the values, that the endpoint asks for; one check for each rule.
    Claim,
}

impl CheckKind {
    /// Every check, in order.
    pub const ALL: &[Self] = &[
        Self::Credentials,
        Self::Size,
        Self::Characters,
        Self::Segments,
        Self::Introspection,
        Self::HeaderEncoding,
        Self::HeaderJson,
        Self::Extensions,
        Self::HeaderMembers,
        Self::AlgorithmKnown,
        Self::PayloadEncoding,
        Self::PayloadJson,
        Self::SignatureEncoding,
        Self::IssuerKnown,
        Self::AlgorithmAllowed,
        Self::Type,
        Self::KeyFound,
        Self::KeySuitable,
        Self::Signature,
        Self::Expiry,
        Self::NotBefore,
        Self::IssuedAt,
        Self::Issuer,
        Self::Audience,
        Self::RequiredClaims,
        Self::Scope,
        Self::Claim,
    ];

    /// The check's stable name, in `snake_case`.
    ///
    /// ```
    /// use portcullis::CheckKind;
    ///
    /// assert_eq!(CheckKind::NotBefore.name(), "not_before");
    /// assert_eq!(CheckKind::NotBefore.to_string(), "nbf");
    /// assert_eq!(CheckKind::NotBefore.reference(), "RFC 7519 section 4.1.5");
    /// ```
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// The check in a few words.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.row().1
    }

    /// Where it is written that this has to be checked.
    #[must_use]
    pub fn reference(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Credentials => ("credentials", "credentials", "RFC 6750 section 2"),
            Self::Size => ("size", "size", "RFC 9110 section 5.4"),
            Self::Characters => ("characters", "characters", "RFC 9110 section 11.2"),
            Self::Segments => ("segments", "three parts", "RFC 7515 section 7.1"),
            Self::Introspection => ("introspection", "introspection", "RFC 7662 section 2.2"),
            Self::HeaderEncoding => ("header_encoding", "header is base64url", "RFC 7515 section 2"),
            Self::HeaderJson => ("header_json", "header is JSON", "RFC 7515 section 4"),
            Self::Extensions => ("extensions", "no extensions", "RFC 7515 section 4.1.11"),
            Self::HeaderMembers => ("header_members", "header members", "RFC 7515 section 4.1"),
            Self::AlgorithmKnown => ("algorithm_known", "algorithm exists", "RFC 7518 section 3.1"),
            Self::PayloadEncoding => ("payload_encoding", "payload is base64url", "RFC 7515 section 2"),
            Self::PayloadJson => ("payload_json", "payload is JSON", "RFC 7519 section 4"),
            Self::SignatureEncoding => ("signature_encoding", "signature is base64url", "RFC 7515 section 2"),
            Self::IssuerKnown => ("issuer_known", "issuer is known", "RFC 8725 section 3.8"),
            Self::AlgorithmAllowed => ("algorithm_allowed", "algorithm is allowed", "RFC 8725 section 3.1"),
            Self::Type => ("type", "token type", "RFC 8725 section 3.11"),
            Self::KeyFound => ("key_found", "key is known", "RFC 7515 section 4.1.4"),
            Self::KeySuitable => ("key_suitable", "key is for the algorithm", "RFC 7517 section 4.4"),
            Self::Signature => ("signature", "signature", "RFC 7515 section 5.2"),
            Self::Expiry => ("expiry", "exp", "RFC 7519 section 4.1.4"),
            Self::NotBefore => ("not_before", "nbf", "RFC 7519 section 4.1.5"),
            Self::IssuedAt => ("issued_at", "iat", "RFC 7519 section 4.1.6"),
            Self::Issuer => ("issuer", "iss", "RFC 7519 section 4.1.1"),
            Self::Audience => ("audience", "aud", "RFC 7519 section 4.1.3"),
            Self::RequiredClaims => ("required_claims", "required claims", "RFC 9068 section 2.2"),
            Self::Scope => ("scope", "scope", "RFC 6750 section 3.1"),
            Self::Claim => ("claim", "claim", "RFC 7519 section 4"),
        }
    }

    /// Whether it is of a registered claim, which a signature or an introspection has to vouch for before.
    fn is_of_claims(self) -> bool {
        (Self::Expiry..=Self::RequiredClaims).contains(&self)
    }

    /// The check that gives this refusal; an algorithm that exists is refused for not being allowed.
    fn of(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Token(fault) => Self::of_token(fault),
            Refusal::Access(AccessFault::InsufficientScope { .. }) => Self::Scope,
            Refusal::Access(AccessFault::RequiredClaims { .. }) => Self::Claim,
            Refusal::Unavailable(UnavailableFault::Introspection { .. }) => Self::Introspection,
            Refusal::Unavailable(_) | Refusal::Configuration(_) => Self::KeyFound,
            Refusal::Request(_) => Self::Credentials,
        }
    }

    fn of_token(fault: &TokenFault) -> Self {
        match fault {
            TokenFault::TooLarge { .. } => Self::Size,
            TokenFault::Characters => Self::Characters,
            TokenFault::Encrypted | TokenFault::Segments { .. } => Self::Segments,
            TokenFault::Inactive => Self::Introspection,
            TokenFault::Base64(Part::Header) => Self::HeaderEncoding,
            TokenFault::Json(Part::Header, _) => Self::HeaderJson,
            TokenFault::Critical | TokenFault::Header { member: "b64", .. } => Self::Extensions,
            TokenFault::Header { .. } => Self::HeaderMembers,
            TokenFault::Base64(Part::Payload) => Self::PayloadEncoding,
            TokenFault::Json(..) => Self::PayloadJson,
            TokenFault::Base64(Part::Signature) => Self::SignatureEncoding,
            TokenFault::Algorithm { .. } => Self::AlgorithmAllowed,
            TokenFault::Type { .. } => Self::Type,
            TokenFault::UnknownKey { .. } => Self::KeyFound,
            TokenFault::KeyMismatch { .. } => Self::KeySuitable,
            TokenFault::Signature => Self::Signature,
            TokenFault::Expired { .. } => Self::Expiry,
            TokenFault::NotYetValid { .. } => Self::NotBefore,
            TokenFault::IssuedInFuture { .. } => Self::IssuedAt,
            TokenFault::Issuer { .. } => Self::Issuer,
            TokenFault::Audience { .. } => Self::Audience,
            TokenFault::MissingClaim { name } | TokenFault::MalformedClaim { name, .. } => Self::of_claim(name),
        }
    }

    fn of_claim(name: &str) -> Self {
        match name {
            "exp" => Self::Expiry,
            "nbf" => Self::NotBefore,
            "iat" => Self::IssuedAt,
            "iss" => Self::Issuer,
            "aud" => Self::Audience,
            _ => Self::RequiredClaims,
        }
    }
}

impl Explanation {
    /// Why the token is refused: what verification says, too. None if it passes.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.first_failure()?.outcome {
            Outcome::Failed(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The check for which the token is refused.
    #[must_use]
    pub fn first_failure(&self) -> Option<&Check> {
        self.checks.iter().find(|check| check.has_failed())
    }

    /// `passed`, `refused`, or `not_judged` if keys or an introspection were out of reach.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        match self.refusal() {
            None => "passed",
            Some(_) if self.is_judged() => "refused",
            Some(_) => "not_judged",
        }
    }

    /// Whether the token could be judged at all: neither its keys nor an introspection were out of reach.
    #[must_use]
    pub fn is_judged(&self) -> bool {
        !matches!(self.refusal(), Some(Refusal::Unavailable(_) | Refusal::Configuration(_)))
    }
}

impl Check {
    /// The longest text of `expected` and `hint`, in characters.
    const LONGEST: usize = 512;

    fn plain(kind: CheckKind, outcome: Outcome) -> Self {
        Self { kind, outcome, expected: None, actual: None, hint: None }
    }

    /// Whether the token failed it.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }

    /// The stable code of the refusal, if the token failed it.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        match &self.outcome {
            Outcome::Failed(refusal) => Some(refusal.code()),
            _ => None,
        }
    }
}

impl Fact {
    const LONGEST: usize = 256;

    fn new(text: &str, vouched: bool) -> Self {
        Self { text: words::clean(text, Self::LONGEST), vouched }
    }
}

impl Outcome {
    /// `passed`, `failed`, `not_reached` or `not_asked`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::NotReached => "not_reached",
            Self::NotAsked => "not_asked",
        }
    }
}

impl fmt::Display for CheckKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}
