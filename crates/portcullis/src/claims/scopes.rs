//! The scope values of a token.

use serde_json::Value;

use crate::token::Object;

/// The values of `scope`, a string with spaces (RFC 8693 section 4.2); where that claim is absent,
/// of `scp`, such a string or an array of strings. Nothing else grants a scope.
pub(crate) fn scopes(claims: &Object) -> impl Iterator<Item = &str> {
    let (text, array) = match (claims.get("scope"), claims.get("scp")) {
        (Some(Value::String(text)), _) | (None, Some(Value::String(text))) => (text.as_str(), [].as_slice()),
        (None, Some(Value::Array(values))) => ("", values.as_slice()),
        _ => ("", [].as_slice()),
    };
    text.split(' ').filter(|value| !value.is_empty()).chain(array.iter().filter_map(Value::as_str))
}
