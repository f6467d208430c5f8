//! The scope values of a token.

use crate::json::{Object, Value};

/// The values of `scope`, a string with spaces (RFC 8693 section 4.2); where that claim is absent,
/// of `scp`, such a string or an array of strings. Nothing else grants a scope.
pub(crate) fn scopes(claims: &Object) -> impl Iterator<Item = &str> {
    let (text, array) = match claims.get("scope") {
        Some(scope) => (scope.as_str(), None),
        None => claims.get("scp").map_or((None, None), |scp| (scp.as_str(), Some(scp))),
    };
    let values = text.unwrap_or_default().split(' ').filter(|value| !value.is_empty());
    values.chain(array.into_iter().flat_map(Value::elements).filter_map(Value::as_str))
}
