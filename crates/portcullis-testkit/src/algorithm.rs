use std::fmt;

/// A JWS signature algorithm ([RFC 7518 section 3.1], [RFC 8037], [RFC 9864], [RFC 9964]).
///
/// ```
/// use portcullis_testkit::Algorithm;
///
/// assert_eq!(Algorithm::ES256.name(), "ES256");
/// ```
///
/// [RFC 7518 section 3.1]: https://www.rfc-editor.org/rfc/rfc7518#section-3.1
/// [RFC 8037]: https://www.rfc-editor.org/rfc/rfc8037
/// [RFC 9864]: https://www.rfc-editor.org/rfc/rfc9864
/// [RFC 9964]: https://www.rfc-editor.org/rfc/rfc9964
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// ECDSA on P-521 with SHA-512.
    ES512,
    /// An Ed25519 signature under its first, polymorphic name (RFC 8037).
    EdDSA,
    /// The same Ed25519 signature under its fully specified name (RFC 9864).
    Ed25519,
    /// ML-DSA-44 (RFC 9964).
    MlDsa44,
    /// ML-DSA-65 (RFC 9964).
    MlDsa65,
    /// ML-DSA-87 (RFC 9964).
    MlDsa87,
    /// HMAC with SHA-256.
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
}

/// The kind of key that an algorithm needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Rsa,
    P256,
    P384,
    P521,
    Ed25519,
    MlDsa44,
    MlDsa65,
    MlDsa87,
    Secret,
}

impl Algorithm {
    /// Every algorithm, in the order of their declaration.
    pub const ALL: &[Self] = &[
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::ES512,
        Self::EdDSA,
        Self::Ed25519,
        Self::MlDsa44,
        Self::MlDsa65,
        Self::MlDsa87,
        Self::HS256,
        Self::HS384,
        Self::HS512,
    ];

    /// The name in a JOSE header's `alg` member, such as `"RS256"`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::ES512 => "ES512",
            Self::EdDSA => "EdDSA",
            Self::Ed25519 => "Ed25519",
            Self::MlDsa44 => "ML-DSA-44",
            Self::MlDsa65 => "ML-DSA-65",
            Self::MlDsa87 => "ML-DSA-87",
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|algorithm| algorithm.name() == name)
    }

    /// Returns true for ECDSA, whose signatures also have a DER form.
    pub(crate) const fn is_elliptic(self) -> bool {
        matches!(self, Self::ES256 | Self::ES384 | Self::ES512)
    }

    pub(crate) const fn family(self) -> Family {
        match self {
            Self::RS256 | Self::RS384 | Self::RS512 | Self::PS256 | Self::PS384 | Self::PS512 => Family::Rsa,
            Self::ES256 => Family::P256,
            Self::ES384 => Family::P384,
            Self::ES512 => Family::P521,
            Self::EdDSA | Self::Ed25519 => Family::Ed25519,
            Self::MlDsa44 => Family::MlDsa44,
            Self::MlDsa65 => Family::MlDsa65,
            Self::MlDsa87 => Family::MlDsa87,
            Self::HS256 | Self::HS384 | Self::HS512 => Family::Secret,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
