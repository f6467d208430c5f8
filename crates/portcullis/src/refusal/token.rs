//! Faults of the token.

use std::{fmt, sync::Arc, time::Duration};

use super::{CheckKind, MemberName, Unverified};
use crate::{issuer_spelling, issuer_template::IssuerTemplate, keys::KeyProblem, shown_url::marked, units::span};

/// The fault of the token itself.
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
    /// Not made of `token68` characters (RFC 9110 section 11.2), or in a cookie under another spelling of its name.
    Characters,
    /// Five parts: an encrypted token (JWE), which is not supported.
    Encrypted,
    /// Not three parts (RFC 7515 section 7.1).
    Segments {
        /// The number of its parts.
        actual: usize,
    },
    /// A part is not strict base64url (RFC 7515 section 2).
    Base64(Part),
    /// A part is not a valid JSON object.
    Json(Part, JsonFault),
    /// A header member has a wrong type or size.
    Header {
        /// The member's name.
        member: &'static str,
        /// The expected form, such as `a string`.
        expected: &'static str,
    },
    /// `crit` is present, but no extension is supported (RFC 7515 section 4.1.11).
    Critical,
    /// `alg` is unknown, `none`, or not on the allow-list (RFC 8725 section 3.1).
    Algorithm {
        /// The algorithm that the header names.
        actual: Unverified,
    },
    /// `typ` is not the type of an access token (RFC 8725 section 3.11).
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
    /// The key set has the key that the token names, but the key is not used.
    UnusableKey {
        /// The reason.
        problem: KeyProblem,
    },
    /// The token names no key, and the limit of keys to try was reached.
    TooManyKeys {
        /// The number of keys that were tried.
        limit: usize,
        /// The number of keys that fit.
        actual: usize,
    },
    /// The signature does not verify.
    Signature,
    /// The authorization server says that the token is not active (RFC 7662 section 2.2).
    Inactive,
    /// `exp` is in the past.
    Expired {
        /// The time since then.
        ago: Duration,
    },
    /// `nbf` is in the future.
    NotYetValid {
        /// The time until then.
        ahead: Duration,
    },
    /// `iat` is in the future.
    IssuedInFuture {
        /// The time until then.
        ahead: Duration,
    },
    /// The time since `iat` is longer than the limit (`max_token_age`).
    Age {
        /// The limit.
        limit: Duration,
        /// The time since `iat`.
        actual: Duration,
    },
    /// The time from `iat` to `exp` is longer than the limit (`max_token_lifetime`).
    Lifetime {
        /// The limit.
        limit: Duration,
        /// The time from `iat` to `exp`.
        actual: Duration,
    },
    /// A required registered claim is missing.
    MissingClaim {
        /// The claim's name.
        name: &'static str,
    },
    /// A registered claim has a wrong type.
    MalformedClaim {
        /// The claim's name.
        name: &'static str,
        /// The expected form, such as `a string`.
        expected: &'static str,
    },
    /// `iss` is not an issuer that is trusted here.
    Issuer {
        /// The issuers that are trusted; one with a placeholder stands for those of its tenants.
        expected: Arc<[String]>,
        /// The issuer that the token names.
        actual: Unverified,
    },
    /// `sub` is not a workload of the SPIFFE trust domain that is trusted here.
    TrustDomain,
    /// The claim of the tenant is missing, or is not the tenant in `iss` ([`IssuerRules::tenant_claim`](crate::IssuerRules)).
    Tenant,
    /// `sub` is none of the accepted subjects ([`IssuerRules::subjects`](crate::IssuerRules)).
    Subject {
        /// The patterns of which it has to match one.
        expected: Vec<String>,
    },
    /// `aud` names none of our audiences.
    Audience {
        /// The audiences, one of which has to be named.
        expected: Vec<String>,
    },
    /// The token is bound to a key (`cnf` with `jkt` or `x5t#S256`), and the request does not prove possession of it
    /// (RFC 9449 section 7.1, RFC 8705 section 3).
    SenderConstrained,
    /// `cnf` binds the token in an unknown way, so that no request can prove possession here (RFC 7800 section 3.1).
    UnsupportedConfirmation,
    /// The client sent a DPoP proof, or the `DPoP` scheme, with a token that is not bound to a key by `jkt` (RFC 9449
    /// section 7.1).
    Unbound,
    /// The endpoint asks for a token that is bound to a key by DPoP ([`DpopUse::Required`](crate::DpopUse::Required)).
    DpopRequired,
    /// The endpoint asks for a token that is bound to a key ([`Rules::sender_constrained`](crate::Rules::sender_constrained)).
    SenderConstraintRequired,
    /// The token is bound to another client certificate (`x5t#S256`, RFC 8705 section 3).
    WrongCertificate,
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

/// The fault of a JSON text.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonFault {
    /// Not JSON, or not UTF-8, or a number out of range.
    Syntax,
    /// JSON, but not an object.
    NotAnObject,
    /// An object has two members of one name.
    DuplicateMember {
        /// The name; in a nested object, that of the claim around it.
        name: MemberName,
        /// True in a nested object.
        is_within: bool,
    },
    /// Nested deeper than the limit.
    TooDeep,
}

impl TokenFault {
    pub(super) fn code(&self) -> &'static str {
        self.row().0
    }

    /// The check that gives this fault.
    pub(super) fn check(&self) -> CheckKind {
        self.row().1
    }

    pub(super) fn description(&self) -> &'static str {
        self.row().2
    }

    /// The code, the check that gives this fault, and the description for clients.
    fn row(&self) -> (&'static str, CheckKind, &'static str) {
        const UNKNOWN_KEY: &str = "Token is signed with an unknown key";
        const MALFORMED: &str = "Token is malformed";
        const BAD_HEADER: &str = "Token header is not acceptable";
        const NOT_YET: &str = "Token is not valid yet";
        const OTHER_ISSUER: &str = "Token was issued by another authorization server";
        const UNPROVEN: &str = "Token is bound to a key, and its proof is missing";
        match self {
            Self::TooLarge { .. } => ("token_too_large", CheckKind::Size, "Token is too large"),
            Self::Characters => ("malformed_token", CheckKind::Characters, MALFORMED),
            Self::Encrypted => ("encrypted_token", CheckKind::Segments, "Encrypted tokens are not supported"),
            Self::Segments { .. } => ("malformed_token_parts", CheckKind::Segments, MALFORMED),
            Self::Base64(part) => ("malformed_base64", part.encoding(), MALFORMED),
            Self::Json(part, fault) => (fault.code(), part.json(), MALFORMED),
            Self::Header { member: "b64", .. } => ("malformed_header", CheckKind::Extensions, BAD_HEADER),
            Self::Header { .. } => ("malformed_header", CheckKind::HeaderMembers, BAD_HEADER),
            Self::Critical => ("critical_header", CheckKind::Extensions, BAD_HEADER),
            Self::Algorithm { .. } => (
                "algorithm_not_allowed",
                CheckKind::AlgorithmAllowed,
                "Token is signed with an algorithm that is not accepted",
            ),
            Self::Type { .. } => ("wrong_type", CheckKind::Type, "Token is not an access token"),
            Self::UnknownKey { .. } => ("unknown_key", CheckKind::KeyFound, UNKNOWN_KEY),
            Self::KeyMismatch { .. } => ("key_mismatch", CheckKind::KeySuitable, UNKNOWN_KEY),
            Self::UnusableKey { .. } => ("unusable_key", CheckKind::KeySuitable, UNKNOWN_KEY),
            Self::TooManyKeys { .. } => ("too_many_keys", CheckKind::Signature, UNKNOWN_KEY),
            Self::Signature => ("bad_signature", CheckKind::Signature, "Token signature is invalid"),
            Self::Inactive => ("inactive_token", CheckKind::Introspection, "Token is not active"),
            Self::Expired { .. } => ("expired", CheckKind::Expiry, "Token has expired"),
            Self::NotYetValid { .. } => ("not_yet_valid", CheckKind::NotBefore, NOT_YET),
            Self::IssuedInFuture { .. } => ("issued_in_future", CheckKind::IssuedAt, NOT_YET),
            Self::Age { .. } => ("token_too_old", CheckKind::Age, "Token was issued too long ago"),
            Self::Lifetime { .. } => ("token_lifetime_too_long", CheckKind::Lifetime, "Token is good for too long"),
            Self::MissingClaim { name } => {
                ("missing_claim", CheckKind::of_claim(name), "Token is missing some required claims")
            }
            Self::MalformedClaim { name, .. } => {
                ("malformed_claim", CheckKind::of_claim(name), "Token has a malformed claim")
            }
            Self::Issuer { .. } | Self::TrustDomain => ("wrong_issuer", CheckKind::Issuer, OTHER_ISSUER),
            Self::Tenant => ("wrong_tenant", CheckKind::Tenant, "Token is of another tenant than its issuer"),
            Self::Subject { .. } => ("wrong_subject", CheckKind::Subject, "Token is of another subject"),
            Self::Audience { .. } => ("wrong_audience", CheckKind::Audience, "Token is meant for another audience"),
            Self::SenderConstrained => ("sender_constrained_token", CheckKind::Possession, UNPROVEN),
            Self::UnsupportedConfirmation => ("unsupported_confirmation", CheckKind::Confirmation, UNPROVEN),
            Self::Unbound => {
                ("unbound_token", CheckKind::Possession, "Token is not bound to the key of the DPoP proof")
            }
            Self::DpopRequired => {
                ("dpop_required", CheckKind::Possession, "A token bound to a key by DPoP is required")
            }
            Self::SenderConstraintRequired => {
                ("sender_constraint_required", CheckKind::Possession, "A token bound to a key is required")
            }
            Self::WrongCertificate => {
                ("wrong_certificate", CheckKind::Certificate, "Token is bound to another client certificate")
            }
        }
    }

    /// Tells whether the fault is of the token's binding to a key, and not of the token: the client can retry with a proof, or with
    /// a token of the other kind.
    pub(crate) fn is_of_binding(&self) -> bool {
        matches!(
            self,
            Self::SenderConstrained
                | Self::UnsupportedConfirmation
                | Self::Unbound
                | Self::DpopRequired
                | Self::SenderConstraintRequired
                | Self::WrongCertificate
        )
    }
}

impl Part {
    /// The check that the part is base64url.
    pub(crate) fn encoding(self) -> CheckKind {
        match self {
            Self::Header => CheckKind::HeaderEncoding,
            Self::Payload => CheckKind::PayloadEncoding,
            Self::Signature => CheckKind::SignatureEncoding,
        }
    }

    /// The check that the part is a JSON object.
    pub(crate) fn json(self) -> CheckKind {
        match self {
            Self::Header => CheckKind::HeaderJson,
            Self::Payload | Self::Signature => CheckKind::PayloadJson,
        }
    }
}

impl JsonFault {
    /// The depth to which objects and arrays may be nested.
    pub(crate) const MAX_DEPTH: usize = 32;

    fn code(&self) -> &'static str {
        match self {
            Self::Syntax | Self::NotAnObject => "malformed_json",
            Self::DuplicateMember { .. } => "duplicate_member",
            Self::TooDeep => "nested_too_deep",
        }
    }
}

impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { limit, actual } => {
                write!(f, "expected a token of at most {limit} bytes (max_token_bytes), got one of {actual} bytes")
            }
            Self::Characters => f.write_str(
                "the token has characters that no bearer token has (RFC 9110 token68), or is in a cookie under another spelling of its \
                 name",
            ),
            Self::Encrypted => {
                f.write_str("expected a signed token of three parts, got an encrypted one (JWE, five parts)")
            }
            Self::Segments { actual } => write!(f, "expected a token of three parts, got one of {actual}"),
            Self::Base64(part) => write!(f, "the token's {part} is not strict base64url"),
            Self::Json(part, fault) => write!(f, "the token's {part} {fault}"),
            Self::Header { member, expected } => write!(f, "expected the header member `{member}` to be {expected}"),
            Self::Critical => f.write_str("expected a header without `crit`, got one: no extension is supported"),
            Self::Algorithm { .. } => f.write_str("the header's `alg` is not on the list of allowed algorithms"),
            Self::Type { .. } => f.write_str("the header's `typ` is not an accepted type of access token"),
            Self::UnknownKey { kid: Some(_) } => f.write_str("no key of the issuer's key set has the token's `kid`"),
            Self::UnknownKey { kid: None } => {
                f.write_str("the token names no key (kid), and no key of the issuer's key set fits its algorithm")
            }
            Self::KeyMismatch { algorithm } => {
                write!(f, "the key that the token names is not made for its algorithm, {algorithm}")
            }
            Self::UnusableKey { problem } => {
                write!(f, "the issuer's key set has the token's key, but it is not used: {problem}")
            }
            Self::TooManyKeys { limit, actual } => write!(
                f,
                "the signature does not verify with any of the {limit} keys that were tried, of {actual} that fit: \
                 have the issuer name the key (kid), or raise `max_key_attempts`"
            ),
            Self::Signature => f.write_str("the signature does not verify with the key that the token names"),
            Self::Inactive => f.write_str(
                "the authorization server says that the token is not active: revoked, expired or never issued",
            ),
            Self::Expired { ago } => write!(f, "the token expired {} ago", span(*ago)),
            Self::NotYetValid { ahead } => write!(f, "the token becomes valid in {} (nbf)", span(*ahead)),
            Self::IssuedInFuture { ahead } => {
                write!(f, "the token was issued {} in the future (iat): compare the clocks", span(*ahead))
            }
            Self::Age { limit, actual } => write!(
                f,
                "expected a token issued at most {} s ago (max_token_age), got one issued {} s ago",
                limit.as_secs(),
                actual.as_secs()
            ),
            Self::Lifetime { limit, actual } => write!(
                f,
                "expected a token good for {} s at the most from `iat` to `exp` (max_token_lifetime), got one good for {} s",
                limit.as_secs(),
                actual.as_secs()
            ),
            Self::MissingClaim { name } => write!(f, "the token lacks the claim `{name}`"),
            Self::MalformedClaim { name, expected } => write!(f, "expected the claim `{name}` to be {expected}"),
            Self::Issuer { expected, actual } => write_issuer(f, expected, actual.reveal()),
            Self::TrustDomain => {
                f.write_str("the token's `sub` is not a workload (`spiffe://DOMAIN/…`) of the configured trust domain")
            }
            Self::Tenant => f.write_str(
                "expected the tenant of the token's `iss` in the claim of its tenant (tenant_claim), got another or none",
            ),
            Self::Subject { expected } => write!(f, "expected the token's `sub` to match one of {expected:?} (subjects)"),
            Self::Audience { expected } => write!(f, "expected the token's `aud` to name one of {expected:?}"),
            Self::SenderConstrained => f.write_str(
                "the token is bound to a key, and the request does not prove possession of it: expected the DPoP scheme with a \
                 DPoP proof (cnf.jkt) where DPoP is accepted, or the client certificate (cnf.x5t#S256)",
            ),
            Self::UnsupportedConfirmation => f.write_str(
                "expected a token that is bound to a key by `jkt` or `x5t#S256`, or not at all, got one that is bound in another \
                 way (cnf): have the client request another token",
            ),
            Self::Unbound => f.write_str(
                "expected a token bound to the key of the DPoP proof (cnf.jkt), got one that is bound to no such key: have the \
                 client send it as Bearer, without a proof, or request a bound one",
            ),
            Self::DpopRequired => f.write_str(
                "expected a token bound to a key by DPoP (cnf.jkt), got one that is not: have the client send a proof when it \
                 requests the token",
            ),
            Self::SenderConstraintRequired => f.write_str(
                "expected a token bound to a key (cnf.jkt or cnf.x5t#S256), got a bearer token: have the client use DPoP or mutual \
                 TLS when it requests the token",
            ),
            Self::WrongCertificate => f.write_str(
                "expected the client certificate that the token is bound to (cnf.x5t#S256), got another",
            ),
        }
    }
}

/// The number of issuers that a text names.
const SHOWN_ISSUERS: usize = 5;

/// Writes which issuers are trusted, and a difference in spelling alone: the text of the token itself stays out.
fn write_issuer(f: &mut fmt::Formatter<'_>, expected: &[String], actual: &str) -> fmt::Result {
    f.write_str("expected the token's `iss` to be ")?;
    let of = |issuer: &String| IssuerTemplate::of(issuer).and_then(|all| all.likely(actual)).unwrap_or(issuer.clone());
    let near = expected.iter().find_map(|issuer| Some((issuer, issuer_spelling::difference(&of(issuer), actual)?)));
    if let Some((issuer, difference)) = near {
        let issuer = marked(issuer);
        return write!(
            f,
            "{issuer:?}, to the letter, got another that differs by {difference}: configure the issuer as its tokens name it"
        );
    }
    let shown: Vec<_> = expected.iter().take(SHOWN_ISSUERS).map(|issuer| marked(issuer)).collect();
    match (shown.as_slice(), expected.len().saturating_sub(SHOWN_ISSUERS)) {
        ([], _) => f.write_str("one of the configured issuers")?,
        ([only], _) => write!(f, "{only:?}")?,
        (several, 0) => write!(f, "one of {several:?}")?,
        (several, more) => write!(f, "one of {several:?} or {more} more")?,
    }
    let is_of_tenant = |issuer: &String| IssuerTemplate::of(issuer).is_some_and(|all| all.tenant(actual).is_some());
    f.write_str(match expected.iter().any(is_of_tenant) {
        true => " of an accepted tenant, got that of another tenant (tenants)",
        false => ", to the letter, got another",
    })
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
        match self {
            Self::Syntax => f.write_str("is not JSON"),
            Self::NotAnObject => f.write_str("is not a JSON object"),
            Self::DuplicateMember { name, is_within: false } => {
                write!(f, "has the member {name} twice, expected it once")
            }
            Self::DuplicateMember { name, is_within: true } => {
                write!(f, "has a member twice within {name}, expected it once")
            }
            Self::TooDeep => write!(f, "is nested deeper than {} levels, the limit", Self::MAX_DEPTH),
        }
    }
}
