//! The content of a request, as far as a door has seen it: [`Content`].

use std::fmt;

/// The content of a request (RFC 9110 section 6.4), as far as a door has seen it.
///
/// [`Secure::content_limit`](crate::Secure::content_limit) tells a door whether to read it.
///
/// # Example
///
/// ```
/// use portcullis::Content;
///
/// let content = Content::Whole(br#"{ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }"#);
/// assert_eq!(format!("{content:?}"), "Whole(53 bytes)");
/// ```
#[derive(Clone, Copy, Default)]
#[non_exhaustive]
pub enum Content<'a> {
    /// The door does not see it: the header fields have to be enough.
    #[default]
    Unseen,
    /// All of it.
    Whole(&'a [u8]),
    /// It is longer than the limit; only a part of it was read.
    TooLarge,
    /// It ended too early: the connection was lost, or the client broke off.
    CutOff,
}

impl fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unseen => f.write_str("Unseen"),
            Self::Whole(bytes) => write!(f, "Whole({} bytes)", bytes.len()),
            Self::TooLarge => f.write_str("TooLarge"),
            Self::CutOff => f.write_str("CutOff"),
        }
    }
}
