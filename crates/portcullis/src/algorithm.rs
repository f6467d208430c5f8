//! The signature algorithms, a row each (RFC 7518 section 3.1, RFC 8037, RFC 9864, RFC 9964).

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A signature algorithm of JOSE. `none` does not exist here.
///
/// As text and in serde formats, an algorithm is its name in a header's `alg`, to the letter.
///
/// # Example
///
/// ```
/// use portcullis::Algorithm;
///
/// assert_eq!("ES256".parse(), Ok(Algorithm::ES256));
/// let error = "none".parse::<Algorithm>().unwrap_err();
/// assert!(error.to_string().starts_with("expected one of RS256, "));
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
    /// ML-DSA-44 (FIPS 204, RFC 9964), whose signatures have 2,420 bytes.
    MlDsa44,
    /// ML-DSA-65 (FIPS 204, RFC 9964), whose signatures have 3,309 bytes.
    MlDsa65,
    /// ML-DSA-87 (FIPS 204, RFC 9964), whose signatures have 4,627 bytes.
    MlDsa87,
    /// HMAC with SHA-256: only with a secret from local configuration.
    HS256,
    /// HMAC with SHA-384: only with a secret from local configuration.
    HS384,
    /// HMAC with SHA-512: only with a secret from local configuration.
    HS512,
}

/// The type of a key; each algorithm needs exactly one.
#[non_exhaustive]
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
    /// ML-DSA-44 (FIPS 204 section 4).
    MlDsa44,
    /// ML-DSA-65 (FIPS 204 section 4).
    MlDsa65,
    /// ML-DSA-87 (FIPS 204 section 4).
    MlDsa87,
    /// A shared secret.
    Secret,
}

use Algorithm::*;

/// Name, algorithm, and the type of its key.
const ALGORITHMS: &[(&str, Algorithm, KeyType)] = &[
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
    ("ML-DSA-44", MlDsa44, KeyType::MlDsa44),
    ("ML-DSA-65", MlDsa65, KeyType::MlDsa65),
    ("ML-DSA-87", MlDsa87, KeyType::MlDsa87),
    ("HS256", HS256, KeyType::Secret),
    ("HS384", HS384, KeyType::Secret),
    ("HS512", HS512, KeyType::Secret),
];

/// Type, `kty`, name (its `crv` or parameter set), bytes of each public member of a JWK, bytes of a signature; none where they vary.
type KeyTypeRow = (KeyType, &'static str, &'static str, Option<usize>, Option<usize>);

const KEY_TYPES: &[KeyTypeRow] = &[
    (KeyType::Rsa, "RSA", "RSA", None, None),
    (KeyType::P256, "EC", "P-256", Some(32), Some(64)),
    (KeyType::P384, "EC", "P-384", Some(48), Some(96)),
    (KeyType::P521, "EC", "P-521", Some(66), Some(132)),
    (KeyType::Ed25519, "OKP", "Ed25519", Some(32), Some(64)),
    (KeyType::MlDsa44, "AKP", "ML-DSA-44", Some(1312), Some(2420)),
    (KeyType::MlDsa65, "AKP", "ML-DSA-65", Some(1952), Some(3309)),
    (KeyType::MlDsa87, "AKP", "ML-DSA-87", Some(2592), Some(4627)),
    (KeyType::Secret, "oct", "secret", None, None),
];

impl Algorithm {
    /// Every algorithm with a public key: the default of a verifier.
    ///
    /// Each of them is considered secure (RFC 8725 section 3.2). None verifies a token of another, since a key verifies
    /// signatures of its own algorithms only.
    pub const ASYMMETRIC: &[Self] =
        &[RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, MlDsa44, MlDsa65, MlDsa87];

    /// The algorithms with a shared secret (RFC 7518 section 3.2): accepted only by a verifier whose rules name them.
    pub const SYMMETRIC: &[Self] = &[HS256, HS384, HS512];

    /// The algorithm of this name, to the letter.
    pub(crate) fn named(name: &str) -> Option<Self> {
        ALGORITHMS.iter().find(|row| row.0 == name).map(|row| row.1)
    }

    /// The name in a header's `alg`.
    #[must_use]
    pub fn name(self) -> &'static str {
        ALGORITHMS.iter().find(|row| row.1 == self).map_or("", |row| row.0)
    }

    /// The type of key that the algorithm needs.
    pub(crate) fn key_type(self) -> KeyType {
        ALGORITHMS.iter().find(|row| row.1 == self).map_or(KeyType::Secret, |row| row.2)
    }

    /// The algorithms that a key of this type can be used with.
    pub(crate) fn of(key_type: KeyType) -> Vec<Self> {
        let mut algorithms: Vec<_> = ALGORITHMS.iter().filter(|row| row.2 == key_type).map(|row| row.1).collect();
        algorithms.dedup();
        algorithms
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        Self::named(name).ok_or_else(|| UnknownAlgorithm { name: name.chars().take(UnknownAlgorithm::SHOWN).collect() })
    }
}

impl Serialize for Algorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Algorithm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'_, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A text that names no [`Algorithm`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownAlgorithm {
    /// The text, shortened.
    name: String,
}

impl UnknownAlgorithm {
    /// The number of characters that are kept.
    const SHOWN: usize = 32;
}

impl fmt::Display for UnknownAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<_> = ALGORITHMS.iter().map(|row| row.0).collect();
        write!(f, "expected one of {}, got {:?}", known.join(", "), self.name)
    }
}

impl std::error::Error for UnknownAlgorithm {}

impl KeyType {
    /// The types of keys with a public half.
    pub(crate) fn public() -> impl Iterator<Item = Self> {
        KEY_TYPES.iter().map(|row| row.0).filter(|key_type| *key_type != Self::Secret)
    }

    /// The type of this `kty`, and of this name where several types have the `kty` in common.
    pub(crate) fn of_jwk(kty: &str, name: Option<&str>) -> Option<Self> {
        let mut rows = KEY_TYPES.iter().filter(|row| row.1 == kty && name.is_none_or(|name| row.2 == name));
        rows.next().map(|row| row.0)
    }

    /// The `kty` of a JWK of this type (RFC 7517 section 4.1).
    pub(crate) fn kty(self) -> &'static str {
        self.row().map_or("", |row| row.1)
    }

    /// The bytes of each public member of a JWK: a coordinate (RFC 7518 section 6.2.1.2), or a bare key.
    pub(crate) fn member_bytes(self) -> Option<usize> {
        self.row()?.3
    }

    /// The bytes of a signature by a key of this type, if all have the same length.
    pub(crate) fn signature_bytes(self) -> Option<usize> {
        self.row()?.4
    }

    fn row(self) -> Option<&'static KeyTypeRow> {
        KEY_TYPES.iter().find(|row| row.0 == self)
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().map_or("", |row| row.2))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn all() -> impl Iterator<Item = Algorithm> {
        Algorithm::ASYMMETRIC.iter().chain(Algorithm::SYMMETRIC).copied()
    }

    #[test]
    fn algorithms_have_one_name_each_and_two_for_ed25519() {
        assert_eq!(all().count() + 1, ALGORITHMS.len());
        for algorithm in all() {
            assert_eq!(algorithm.name().parse(), Ok(algorithm));
            assert_eq!(algorithm.to_string(), algorithm.name());
        }
        assert_eq!("Ed25519".parse(), Ok(EdDSA));
        for name in
            ["", "none", "None", "NONE", "nOnE", "rs256", "Es256", "ES256K", "Ed448", "eddsa", "RSA-OAEP", "dir"]
        {
            assert!(name.parse::<Algorithm>().is_err(), "{name}");
        }
        assert!(all().all(|one| Algorithm::SYMMETRIC.contains(&one) == one.name().starts_with("HS")));
    }

    #[test]
    fn serde_has_an_algorithm_by_its_name() {
        for algorithm in all() {
            assert_eq!(serde_json::to_value(algorithm).unwrap(), json!(algorithm.name()));
            assert_eq!(serde_json::from_value::<Algorithm>(json!(algorithm.name())).unwrap(), algorithm);
        }
        for (value, expected) in [
            (json!("es256"), "expected one of RS256, RS384,"),
            (json!("none"), "got \"none\""),
            (json!(5), "expected a string"),
            (json!(null), "expected a string"),
        ] {
            let error = serde_json::from_value::<Algorithm>(value).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn an_unknown_name_is_shown_cut_and_escaped() {
        let error = format!("\u{1b}[31m{}", "é".repeat(99)).parse::<Algorithm>().unwrap_err().to_string();
        assert!(error.ends_with(&format!("got \"\\u{{1b}}[31m{}\"", "é".repeat(27))), "{error}");
    }
}
