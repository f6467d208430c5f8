//! The scope values of a token.

use crate::json::{Object, Value};

/// The values of `scope`; where that claim is absent, of `scp`. Nothing else grants a scope.
///
/// Each is a string with spaces (RFC 8693 section 4.2), or an array of strings, as many servers write it. An element of an
/// array is one value and never parted.
pub(crate) fn scopes(claims: &Object) -> impl Iterator<Item = &str> {
    let claim = claims.get("scope").or_else(|| claims.get("scp"));
    let words = claim.and_then(Value::as_str).unwrap_or_default().split(' ').filter(|value| !value.is_empty());
    words.chain(claim.into_iter().flat_map(Value::elements).filter_map(Value::as_str))
}

/// Tells whether claims grant this scope value, to the letter (RFC 6749 section 3.3).
///
/// A text with a space in it, or an empty one, is no scope value: not even an element of an array that is the same grants it.
pub(crate) fn grants(claims: &Object, value: &str) -> bool {
    is_scope_value(value) && scopes(claims).any(|scope| scope == value)
}

/// Tells whether a text can be one scope value: not empty, without a space in it.
pub(crate) fn is_scope_value(text: &str) -> bool {
    !text.is_empty() && !text.contains(' ')
}
