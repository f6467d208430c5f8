//! Oddities of a key set that is used nevertheless.

use std::fmt;

/// A key that is used although it is not written as its RFC says, since there is no doubt about the key.
///
/// # Example
///
/// ```
/// use portcullis::{JwksService, KeyOddity};
///
/// let set = r#"{ "keys": [{ "kid": "k1", "kty": "OKP", "crv": "Ed25519",
///                           "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=" }] }"#;
/// let status = JwksService::from_json(set)?.status();
/// assert_eq!(status.warnings[0].kid.as_deref(), Some("k1"));
/// assert_eq!(status.warnings[0].oddity, KeyOddity::Encoding { name: "x" });
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyWarning {
    /// The key's `kid`, if it has one; none also if the oddity is of the whole document.
    pub kid: Option<String>,
    /// The oddity.
    pub oddity: KeyOddity,
}

/// An oddity of a key that is used.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOddity {
    /// A number has leading zeros that are not allowed, or lacks leading zeros that are required
    /// (RFC 7518 sections 2, 6.2.1 and 6.3.1).
    Length {
        /// The member's name.
        name: &'static str,
    },
    /// A member is in base64 with padding, white space or `+` and `/`, in place of base64url (RFC 7518 section 2).
    Encoding {
        /// The member's name.
        name: &'static str,
    },
    /// The key is in the set more than once, with the same members: it counts once.
    Repeated,
    /// The key has an `issuer` that is no URL.
    Issuer,
    /// The document begins with a byte-order mark (RFC 8259 section 8.1).
    ByteOrderMark,
}

impl fmt::Display for KeyOddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { name } => {
                write!(
                    f,
                    "its `{name}` has more or fewer leading zeros than RFC 7518 requires: read as the same number"
                )
            }
            Self::Encoding { name } => write!(f, "its `{name}` is not in base64url without padding: read anyway"),
            Self::Repeated => f.write_str("it is in the set more than once: it counts once"),
            Self::Issuer => f.write_str("its `issuer` is no URL: not compared with the `iss` of tokens"),
            Self::ByteOrderMark => f.write_str("the document begins with a byte-order mark: ignored"),
        }
    }
}
