use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE};

use super::target::Target;
use crate::encoding::base64url;
use crate::token::TokenBuilder;

pub(super) fn trailing_bits(target: &Target) -> String {
    let good = target.good().sign();
    with_spare_bit(&good).unwrap_or_else(|| trailing_bits_in_payload(target))
}

/// The attack for a signature whose encoding has no spare bits, such as ES384's.
fn trailing_bits_in_payload(target: &Target) -> String {
    let token = unaligned(target);
    let payload = base64url(token.payload());
    let payload = with_spare_bit(&payload).unwrap_or(payload);
    token.sign_segments(&base64url(token.header_text()), &payload)
}

/// Sets the lowest bit of the last character, if the segment has a spare bit there.
///
/// Each character that can end such a segment is followed by the same character in ASCII as in
/// the base64url alphabet.
fn with_spare_bit(text: &str) -> Option<String> {
    let segment = text.rsplit('.').next()?;
    let (&last, start) = text.as_bytes().split_last()?;
    let changed = [start, &[last + 1]].concat();
    (segment.len() % 4 != 0).then(|| String::from_utf8(changed).ok())?
}

pub(super) fn padded(target: &Target) -> String {
    let token = unaligned(target);
    let payload = URL_SAFE.encode(token.payload());
    token.sign_segments(&base64url(token.header_text()), &payload)
}

pub(super) fn whitespace(target: &Target) -> String {
    let token = target.good();
    let mut payload = base64url(token.payload());
    payload.insert(payload.len() / 2, ' ');
    token.sign_segments(&base64url(token.header_text()), &payload)
}

pub(super) fn standard_alphabet(target: &Target) -> String {
    // The encoding of this text has a "/" at every alignment.
    let token = target.good().claim("note", "?????????");
    let payload = STANDARD_NO_PAD.encode(token.payload());
    token.sign_segments(&base64url(token.header_text()), &payload)
}

/// The good token with a payload whose length is not a multiple of three bytes.
fn unaligned(target: &Target) -> TokenBuilder {
    let token = target.good().claim("note", "");
    if token.payload().len().is_multiple_of(3) { token.claim("note", "x") } else { token }
}
