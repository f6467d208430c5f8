//! The scope values of a token.

use crate::json::{Object, Value};

/// The values of `scope`; where that claim is absent, of `scp`. Nothing else grants a scope.
///
/// Each is a string with spaces (RFC 8693 section 4.2), or an array of strings, as many servers write it. An element of an
/// array is one value and never parted: one that could not stand in such a string, since it is empty or has a space in it,
/// grants nothing (RFC 6749 section 3.3).
pub(crate) fn scopes(claims: &Object) -> impl Iterator<Item = &str> {
    let claim = claims.get("scope").or_else(|| claims.get("scp"));
    let words = claim.and_then(Value::as_str).unwrap_or_default().split(' ');
    let elements = claim.into_iter().flat_map(Value::elements).filter_map(Value::as_str);
    words.chain(elements.filter(|value| !value.contains(' '))).filter(|value| !value.is_empty())
}
