//! The mark of a token in a log.

use std::fmt;

use crate::{base64url, bearer::DEFAULT_MAX_TOKEN_BYTES, crypto::sha256, json};

/// The mark of a token in logs, which does not show the token: its `Display` is 12 characters of hex, the first six bytes of
/// the token's SHA-256.
///
/// The issuer and key that the token names are hints for people and nothing else: **no signature vouches for them**. Texts
/// have 100 characters at the most, and no control characters.
///
/// # Example
///
/// ```
/// use portcullis::TokenMark;
///
/// // {"alg":"RS256","kid":"2026"} . {"iss":"https://as.example.com"}
/// let token = b"eyJhbGciOiJSUzI1NiIsImtpZCI6IjIwMjYifQ.eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUuY29tIn0.c2lnbmF0dXJl";
/// let mark = TokenMark::of(token);
/// assert_eq!(mark.unverified_issuer().as_deref(), Some("https://as.example.com"));
/// assert_eq!(mark.unverified_kid().as_deref(), Some("2026"));
/// assert_eq!(mark.to_string().len(), 12);
/// ```
#[derive(Clone, Copy)]
pub struct TokenMark<'a>(&'a [u8]);

impl<'a> TokenMark<'a> {
    /// The number of bytes of the hash that are shown.
    const HASH_BYTES: usize = 6;
    /// The longest text of a token that is shown, in characters.
    const LONGEST_TEXT: usize = 100;

    /// Marks these bytes, which may be any: a token, good or bad, opaque or cut off.
    #[must_use]
    pub fn of(token: &'a [u8]) -> Self {
        Self(token)
    }

    /// Returns the issuer that the token names (`iss`, RFC 7519 section 4.1.1), if it is a JWT of at most 16 KiB.
    #[must_use]
    pub fn unverified_issuer(&self) -> Option<String> {
        self.text(1, "iss")
    }

    /// Returns the key that the token names (`kid`, RFC 7515 section 4.1.4), if it is a JWT of at most 16 KiB.
    #[must_use]
    pub fn unverified_kid(&self) -> Option<String> {
        self.text(0, "kid")
    }

    /// Reads a member of one part; the other parts may be missing or malformed.
    fn text(&self, part: usize, member: &str) -> Option<String> {
        let token = (self.0.len() <= DEFAULT_MAX_TOKEN_BYTES).then_some(self.0)?;
        let part = token.split(|byte| *byte == b'.').nth(part)?;
        let object = json::object(base64url::decode(part)?).ok()?;
        let text = object.get(member)?.as_str()?;
        let shown = |character: char| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character };
        Some(text.chars().take(Self::LONGEST_TEXT).map(shown).collect())
    }
}

impl fmt::Display for TokenMark<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        sha256(self.0).iter().take(Self::HASH_BYTES).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TokenMark<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_tells_what_a_token_says_in_so_far_as_it_can_be_read() {
        let part = |json: &str| base64url::encode(json);
        let header = part(r#"{"alg":"none","kid":"one"}"#);
        let payload = part(r#"{"iss":"https://as.example.com"}"#);
        let long = part(&format!(r#"{{"iss":"{}\nforged"}}"#, "a".repeat(99)));
        let huge = part(&format!(r#"{{"iss":"{}"}}"#, "a".repeat(16 << 10)));
        let issuer = Some("https://as.example.com".to_owned());
        let kid = Some("one".to_owned());
        for (token, expected_issuer, expected_kid) in [
            (format!("{header}.{payload}.signature"), issuer.clone(), kid.clone()),
            // Cut off, encrypted, or malformed in another part.
            (format!("{header}.{payload}"), issuer.clone(), kid.clone()),
            (format!("{header}.a.b.c.d"), None, kid.clone()),
            (format!("x.{payload}.y"), issuer, None),
            (format!("{header}.{}.", part(r#"{"iss":7}"#)), None, kid.clone()),
            (format!("{header}.{}.", part(r#"{"iss":"a","iss":"b"}"#)), None, kid.clone()),
            // Nothing in a text begins another line, or fills the log.
            (format!("{header}.{long}."), Some("a".repeat(99) + "\u{fffd}"), kid),
            (format!("{header}.{huge}."), None, None),
            ("opaque".to_owned(), None, None),
            ("..".to_owned(), None, None),
            (String::new(), None, None),
        ] {
            let mark = TokenMark::of(token.as_bytes());
            assert_eq!((mark.unverified_issuer(), mark.unverified_kid()), (expected_issuer, expected_kid), "{token}");
        }
    }

    #[test]
    fn a_mark_shows_the_hash_and_never_the_token() {
        let mark = TokenMark::of(b"abc");
        assert_eq!((mark.to_string(), format!("{mark:?}")), ("ba7816bf8f01".to_owned(), "ba7816bf8f01".to_owned()));
    }
}
