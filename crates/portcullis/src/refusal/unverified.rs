//! What a token says of itself before anything has vouched for it.

use std::fmt;

/// Text that a token claims about itself: kept for reports, hidden from `Debug` and `Display`.
///
/// It is cut to 256 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Unverified(Box<str>);

impl Unverified {
    const LONGEST: usize = 256;

    pub(crate) fn new(text: &str) -> Self {
        let end = (0..=Self::LONGEST.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
        Self(text.get(..end.unwrap_or(0)).unwrap_or_default().into())
    }

    /// The text itself. Nothing has vouched for it: never send it to a client, escape it in a log.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[unverified]")
    }
}
