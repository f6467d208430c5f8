//! The reasons that keys are not used.

use std::fmt;

use super::Notation;
use crate::{algorithm::KeyType, crypto::InvalidKey};

/// A key of a set that is not used, with the reason.
///
/// # Example
///
/// ```
/// use portcullis::{ConfigurationError, JwksService};
///
/// let set = r#"{ "keys": [{ "kty": "quantum", "kid": "k1" }] }"#;
/// let Err(ConfigurationError::NoUsableKey { skipped }) = JwksService::from_json(set) else { unreachable!() };
/// assert_eq!(skipped[0].kid.as_deref(), Some("k1"));
/// assert!(skipped[0].problem.to_string().contains("kty"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedKey {
    /// The key's `kid`, if it has one.
    pub kid: Option<String>,
    /// The reason that it is not used.
    pub problem: KeyProblem,
}

/// The reason that a key is not used.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyProblem {
    /// Not a JSON object.
    NotAnObject,
    /// A member is missing or malformed.
    Member {
        /// The member's name.
        name: &'static str,
        /// The expected form, such as `a string`.
        expected: &'static str,
    },
    /// A member has more or fewer bytes than a key of its type.
    Length {
        /// The member's name.
        name: &'static str,
        /// The bytes of a key of this type.
        expected: usize,
        /// The bytes of the member, decoded.
        actual: usize,
    },
    /// `kty`, `crv` or, of an Algorithm Key Pair, `alg` is not one of a supported algorithm.
    UnknownType,
    /// `alg` is unknown, or not for this type of key.
    Algorithm,
    /// A key of another type than its algorithm needs, or a secret.
    OtherType {
        /// The type that the algorithm needs.
        expected: KeyType,
    },
    /// `use` or `key_ops` says that the key is not for verifying signatures.
    NotForVerifying,
    /// `use` is not for access tokens, such as `jwt-svid`, and is not allowed by name.
    OtherUse {
        /// Its text, cut to 32 characters.
        name: String,
    },
    /// The numbers are not those of a key of this type: a point off the curve, a bad exponent.
    NotAKey(KeyType),
    /// An RSA modulus outside 2048 to 8192 bits.
    RsaSize {
        /// The modulus's size.
        bits: usize,
    },
    /// A secret shorter than the hash of its algorithm (RFC 7518 section 3.2).
    ShortSecret {
        /// The secret's length.
        bytes: usize,
    },
    /// A key, in this notation, in place of a secret: with a public key as a secret, everyone could sign.
    KeyAsSecret(Notation),
    /// A secret or a private key in a published set: everyone who fetches it can sign.
    Published,
    /// The set has the key for tokens of another issuer: its `issuer` is not the `iss` of the token.
    OtherIssuer,
    /// No key in PEM or another known form.
    NotPem,
    /// A text in another form that has a name.
    Notation(Notation),
    /// A private key in place of a public one: everyone who reads it can sign.
    PrivateKey,
    /// PEM of a public key of an unsupported type or size.
    UnsupportedPem,
}

impl KeyProblem {
    /// The problem of another `use`; it is an issuer's text, so it is cut.
    pub(super) fn other_use(name: &str) -> Self {
        Self::OtherUse { name: name.chars().take(32).collect() }
    }
}

impl From<InvalidKey> for KeyProblem {
    fn from(invalid: InvalidKey) -> Self {
        match invalid {
            InvalidKey::Malformed(key_type) => Self::NotAKey(key_type),
            InvalidKey::RsaSize { bits } => Self::RsaSize { bits },
            InvalidKey::ShortSecret { bytes } => Self::ShortSecret { bytes },
        }
    }
}

impl fmt::Display for KeyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("expected a JSON object"),
            Self::Member { name, expected } => write!(f, "expected the member `{name}` to be {expected}"),
            Self::Length { name, expected, actual } => {
                write!(f, "expected the member `{name}` to be {expected} bytes long, got {actual}")
            }
            Self::UnknownType => f.write_str("its `kty`, `crv` or `alg` is not one that a supported algorithm uses"),
            Self::Algorithm => f.write_str("its `alg` is not a supported signature algorithm for this type of key"),
            Self::OtherType { expected } => write!(f, "expected a {expected} key, got one of another type"),
            Self::NotForVerifying => f.write_str("its `use` or `key_ops` says that it is not for verifying signatures"),
            Self::OtherUse { name } => write!(
                f,
                "its `use` is {name:?}, not \"sig\": allow it by name (`key_uses`) if such keys sign the tokens that you accept"
            ),
            Self::NotAKey(key_type) => write!(f, "its numbers are not those of a valid {key_type} key"),
            Self::RsaSize { bits } => write!(f, "expected an RSA key of 2048 to 8192 bits, got one of {bits} bits"),
            Self::ShortSecret { bytes } => {
                write!(
                    f,
                    "expected a secret at least as long as the hash (32 bytes for HS256), got one of {bytes} bytes"
                )
            }
            Self::KeyAsSecret(came) => {
                write!(f, "expected a secret, got {came} (as a secret, a public key would let everyone sign: give keys as text)")
            }
            Self::Published => f.write_str("it is a secret or a private key in a published key set"),
            Self::OtherIssuer => f.write_str("its `issuer` is not the `iss` of the token"),
            Self::UnsupportedPem => {
                let known: Vec<_> = KeyType::public().map(|key_type| key_type.to_string()).collect();
                write!(f, "expected a public key of one of these types: {} (RSA: 2048 to 8192 bits)", known.join(", "))
            }
            Self::NotPem => f.write_str(
                "expected PEM with a PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE section, or its base64 alone",
            ),
            Self::Notation(came) => {
                write!(f, "expected a public key as PEM (a PUBLIC KEY or CERTIFICATE section) or a JWK Set, got {came}")
            }
            Self::PrivateKey => f.write_str(
                "expected a public key, got a private one, with which everyone who reads it can sign: give the public key only \
                 (`openssl pkey -in FILE -pubout`)",
            ),
        }
    }
}

impl std::error::Error for KeyProblem {}
