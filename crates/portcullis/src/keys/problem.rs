//! Why a key of a set is not used.

use std::fmt;

use super::Notation;
use crate::{algorithm::KeyType, crypto::InvalidKey};

/// A key of a set that is not used, and why.
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
    /// Why it is not used.
    pub problem: KeyProblem,
}

/// Why a key is not used.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyProblem {
    /// Not a JSON object.
    NotAnObject,
    /// A member is missing or has another form than it must.
    Member {
        /// The member's name.
        name: &'static str,
        /// What it has to be.
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
    /// `kty`, `crv` or, of an Algorithm Key Pair, `alg` is one that no supported algorithm uses.
    UnknownType,
    /// `alg` is unknown, or not for this type of key.
    Algorithm,
    /// `use` or `key_ops` says that the key is not for verifying signatures.
    NotForVerifying,
    /// `use` is one that is for other things than access tokens, such as `jwt-svid`, unless it is allowed by name.
    OtherUse {
        /// Its text, 32 characters of it at the most.
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
    /// A secret or a private key, published for everyone to read: whoever fetched it can sign.
    Published,
    /// No key in PEM, nor in another form that is known.
    NotPem,
    /// A text in another form, which has a name.
    Notation(Notation),
    /// A private key where a public one belongs: whoever reads it can sign.
    PrivateKey,
    /// PEM of a public key of another type or size than those that are supported.
    UnsupportedPem,
}

impl KeyProblem {
    /// The `use` of a key that is for something else; it is an issuer's text, and cut.
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
            Self::NotForVerifying => f.write_str("its `use` or `key_ops` says that it is not for verifying signatures"),
            Self::OtherUse { name } => write!(
                f,
                "its `use` is {name:?}, not \"sig\": allow it by name (`key_uses`) if such keys sign the tokens that you accept"
            ),
            Self::NotAKey(key_type) => write!(f, "its numbers are not those of a valid {key_type} key"),
            Self::RsaSize { bits } => write!(f, "expected an RSA key of 2048 to 8192 bits, one of {bits} bits came"),
            Self::ShortSecret { bytes } => {
                write!(
                    f,
                    "expected a secret at least as long as the hash (32 bytes for HS256), one of {bytes} bytes came"
                )
            }
            Self::Published => f.write_str("it is a secret or a private key that stands in a published key set"),
            Self::UnsupportedPem => {
                let known: Vec<_> = KeyType::public().map(|key_type| key_type.to_string()).collect();
                write!(f, "expected a public key of one of these types: {} (RSA: 2048 to 8192 bits)", known.join(", "))
            }
            Self::NotPem => f.write_str(
                "expected a PEM text with a PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE section, or its base64 alone",
            ),
            Self::Notation(came) => {
                write!(f, "expected a public key as PEM (a PUBLIC KEY or CERTIFICATE section) or a JWK Set, got {came}")
            }
            Self::PrivateKey => f.write_str(
                "expected a public key, got a private one: give the public key only \
                 (`openssl pkey -in FILE -pubout`), whoever reads the private one can sign",
            ),
        }
    }
}

impl std::error::Error for KeyProblem {}
