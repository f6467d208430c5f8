//! Strict base64url (RFC 7515 section 2): no padding, no white space, no stray bits.

use base64_simd::{AsOut, URL_SAFE, URL_SAFE_NO_PAD};

/// Decodes a text, if it is the only encoding of its bytes.
pub(crate) fn decode(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode_to_vec(text.as_ref()).ok()
}

/// Decodes a text in any base64: with `+` and `/`, padded, broken into lines. For texts of issuers and operators only.
pub(crate) fn decode_any(text: &str) -> Option<Vec<u8>> {
    let other = |character: char| match character {
        '+' => '-',
        '/' => '_',
        character => character,
    };
    let text: String = text.chars().filter(|character| !character.is_ascii_whitespace()).map(other).collect();
    if text.ends_with('=') { URL_SAFE.decode_to_vec(text).ok() } else { decode(text) }
}

/// Encodes bytes as the only text that [`decode`] accepts for them.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Tells whether a text is the only encoding of a SHA-256 digest, without an allocation.
pub(crate) fn is_of_digest(text: &str, digest: &[u8; 32]) -> bool {
    let mut encoded = [0; 43];
    URL_SAFE_NO_PAD.encode(digest, encoded.as_mut_slice().as_out()) == text.as_bytes()
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as ORACLE};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_one_spelling_is_read() {
        let table: &[(&str, Option<&[u8]>)] = &[
            ("", Some(b"")),
            ("AA", Some(&[0])),
            ("_-8", Some(&[0xff, 0xef])),
            ("AAAA", Some(&[0, 0, 0])),
            ("A", None),
            ("AAAAA", None),
            ("AA==", None),
            ("AAA=", None),
            ("=", None),
            ("AB", None),
            ("AAB", None),
            ("+/8", None),
            ("A A", None),
            ("AA\n", None),
            (" AA", None),
            ("AA~A", None),
            ("ÄA", None),
        ];
        for (text, expected) in table {
            assert_eq!(decode(text).as_deref(), *expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn another_decoder_says_the_same(text in "[A-Za-z0-9_-]{0,200}") {
            prop_assert_eq!(decode(&text), ORACLE.decode(&text).ok());
        }

        #[test]
        fn of_any_text(text in "[A-Za-z0-9_-]{0,70}\\PC[A-Za-z0-9_-]{0,70}", more in ".{0,3}") {
            let text = text + &more;
            prop_assert_eq!(decode(&text), ORACLE.decode(&text).ok());
        }
    }
}
