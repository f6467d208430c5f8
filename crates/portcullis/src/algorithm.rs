//! The signature algorithms, a row each (RFC 7518 section 3.1, RFC 8037, RFC 9864).

use std::fmt;

/// A signature algorithm of JOSE. `none` does not exist here.
///
/// # Example
///
/// ```
/// use portcullis::Algorithm;
///
/// assert_eq!(Algorithm::from_name("ES256"), Some(Algorithm::ES256));
/// assert_eq!(Algorithm::from_name("none"), None);
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// ECDSA with P-256 and SHA-256.
    ES256,
    /// ECDSA with P-384 and SHA-384.
    ES384,
    /// ECDSA with P-521 and SHA-512.
    ES512,
    /// EdDSA with Ed25519; also named `Ed25519` (RFC 9864).
    EdDSA,
    /// HMAC with SHA-256: only with a secret from local configuration.
    HS256,
    /// HMAC with SHA-384: only with a secret from local configuration.
    HS384,
    /// HMAC with SHA-512: only with a secret from local configuration.
    HS512,
}

/// What a key is made of; an algorithm needs exactly one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyType {
    /// RSA, 2048 to 8192 bits.
    Rsa,
    /// The curve P-256.
    P256,
    /// The curve P-384.
    P384,
    /// The curve P-521.
    P521,
    /// The curve Ed25519.
    Ed25519,
    /// A shared secret.
    Secret,
}

use Algorithm::*;

/// Name, algorithm, and the type of its key.
const TABLE: &[(&str, Algorithm, KeyType)] = &[
    ("RS256", RS256, KeyType::Rsa),
    ("RS384", RS384, KeyType::Rsa),
    ("RS512", RS512, KeyType::Rsa),
    ("PS256", PS256, KeyType::Rsa),
    ("PS384", PS384, KeyType::Rsa),
    ("PS512", PS512, KeyType::Rsa),
    ("ES256", ES256, KeyType::P256),
    ("ES384", ES384, KeyType::P384),
    ("ES512", ES512, KeyType::P521),
    ("EdDSA", EdDSA, KeyType::Ed25519),
    ("Ed25519", EdDSA, KeyType::Ed25519),
    ("HS256", HS256, KeyType::Secret),
    ("HS384", HS384, KeyType::Secret),
    ("HS512", HS512, KeyType::Secret),
];

impl Algorithm {
    /// Every algorithm with a public key: what a verifier accepts unless told otherwise.
    pub const ASYMMETRIC: &[Self] = &[RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA];

    /// The algorithm of this name, to the letter.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.0 == name).map(|row| row.1)
    }

    /// The name in a header's `alg`.
    #[must_use]
    pub fn name(self) -> &'static str {
        TABLE.iter().find(|row| row.1 == self).map_or("", |row| row.0)
    }

    /// The algorithms that a key of this type can be used with.
    pub(crate) fn of(key_type: KeyType) -> Vec<Self> {
        let mut algorithms: Vec<_> = TABLE.iter().filter(|row| row.2 == key_type).map(|row| row.1).collect();
        algorithms.dedup();
        algorithms
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl KeyType {
    /// The bytes of a coordinate on the curve, if the type is a Weierstrass curve (RFC 7518 section 6.2.1).
    pub(crate) fn coordinate_bytes(self) -> Option<usize> {
        match self {
            Self::P256 => Some(32),
            Self::P384 => Some(48),
            Self::P521 => Some(66),
            Self::Rsa | Self::Ed25519 | Self::Secret => None,
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa => "RSA",
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::Ed25519 => "Ed25519",
            Self::Secret => "secret",
        })
    }
}
