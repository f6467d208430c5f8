//! Texts of a token that nothing has vouched for yet.

use std::fmt;

/// An unverified text of a token: kept for reports, redacted in `Debug`, and without `Display`.
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

impl From<&str> for Unverified {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[unverified]")
    }
}

/// The name of a header member or a claim of a token: in backticks, shortened and cleaned for logs.
///
/// The name shows an issuer the claim to look at; the claim's value is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct MemberName(Box<str>);

impl MemberName {
    const LONGEST: usize = 64;

    pub(crate) fn new(name: &str) -> Self {
        let visible = |character: char| match character {
            '`' => '\'',
            ' '..='~' => character,
            _ => '\u{fffd}',
        };
        let mut clean: String = name.chars().take(Self::LONGEST).map(visible).collect();
        if name.chars().nth(Self::LONGEST).is_some() {
            clean.push('…');
        }
        Self(clean.into())
    }
}

impl fmt::Display for MemberName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0)
    }
}

impl fmt::Debug for MemberName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
