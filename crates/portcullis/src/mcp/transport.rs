//! The requests that may carry messages.

use http::{
    HeaderName,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE},
};

use crate::bearer::HeaderFields;

/// The fields by which clients override the method, where a framework before the server behind knows them.
const METHOD_OVERRIDES: [HeaderName; 3] = [
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-method-override"),
];

/// Tells whether fields or method announce a message: any method that is not known to carry none, also by a field that overrides
/// it, and content.
pub(super) fn may_carry_message(method: &str, fields: &dyn HeaderFields) -> bool {
    let carries_none = matches!(method, "GET" | "HEAD" | "OPTIONS" | "DELETE");
    !carries_none || METHOD_OVERRIDES.iter().any(|name| has(fields, name)) || has_content(fields)
}

/// Tells whether fields announce content (RFC 9112 section 6.3), which a handler for all methods would read.
fn has_content(fields: &dyn HeaderFields) -> bool {
    let mut is_long = false;
    fields.each(&CONTENT_LENGTH, &mut |value| is_long |= value.trim_ascii() != b"0");
    is_long || has(fields, &TRANSFER_ENCODING)
}

/// Tells whether the request asks for a connection whose messages nobody would judge (RFC 6455 section 4.1, RFC 8441 section 4).
pub(super) fn opens_websocket(method: &str, fields: &dyn HeaderFields) -> bool {
    let mut opens = method == "CONNECT";
    // Read leniently, as some servers do: any word counts.
    let is_websocket = |word: &[u8]| word.eq_ignore_ascii_case(b"websocket");
    fields.each(&UPGRADE, &mut |value| opens |= value.split(|byte| !byte.is_ascii_alphanumeric()).any(is_websocket));
    opens
}

fn has(fields: &dyn HeaderFields, name: &HeaderName) -> bool {
    matches!(fields.first_two(name), [Some(_), _])
}
