//! The text encodings: base64url without padding, and PEM.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Encodes as base64url without padding ([RFC 7515 section 2]).
///
/// [RFC 7515 section 2]: https://www.rfc-editor.org/rfc/rfc7515#section-2
pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes base64url without padding; `None` for any other text.
pub(crate) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Encodes with the standard alphabet and padding.
pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// Decodes the standard alphabet with padding; `None` for any other text.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Wraps `der` in PEM armour, 64 characters a line ([RFC 7468]).
///
/// [RFC 7468]: https://www.rfc-editor.org/rfc/rfc7468
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for (at, character) in base64(der).chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}

/// The SHA-256 hash in base64url: of a token for `ath`, of a JWK for `jkt`, of a certificate for `x5t#S256`.
pub(crate) fn sha256_base64url(bytes: &[u8]) -> String {
    base64url(digest(&SHA256, bytes))
}

/// A fresh random identifier: 128 bits in 22 characters.
pub(crate) fn random_id() -> String {
    let mut bytes = [0; 16];
    fill_random(&mut bytes);
    base64url(bytes)
}

#[expect(clippy::expect_used, reason = "a system without randomness can sign nothing")]
pub(crate) fn fill_random(bytes: &mut [u8]) {
    aws_lc_rs::rand::fill(bytes).expect("the system gives random bytes");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_lines_are_64_characters_long() {
        let text = pem("PUBLIC KEY", &[7; 100]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "-----BEGIN PUBLIC KEY-----");
        assert_eq!(lines[1].len(), 64);
        assert_eq!(lines[4], "-----END PUBLIC KEY-----");
        assert_eq!(lines.len(), 5);
    }
}
