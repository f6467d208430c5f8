//! Oddities of a key set that is used all the same.

use std::fmt;

/// A key of a set that is used although it is not written as its RFC says, for there is no doubt which key is meant.
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
    /// The key's `kid`, if it has one; none, too, where the oddity is the whole document's.
    pub kid: Option<String>,
    /// The oddity.
    pub oddity: KeyOddity,
}

/// An oddity of a key that is used.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOddity {
    /// A number has leading zeros that it must not have, or lacks those that it must have
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
    /// The key stands in the set a second time, member by member: it counts once.
    Repeated,
    /// The document begins with a byte-order mark (RFC 8259 section 8.1).
    ByteOrderMark,
}

impl fmt::Display for KeyOddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { name } => {
                write!(f, "its `{name}` has more or fewer leading zeros than RFC 7518 says: read as the same number")
            }
            Self::Encoding { name } => write!(f, "its `{name}` is not in base64url without padding: read all the same"),
            Self::Repeated => f.write_str("it stands in the set more than once: it counts once"),
            Self::ByteOrderMark => f.write_str("the document begins with a byte-order mark: passed over"),
        }
    }
}
