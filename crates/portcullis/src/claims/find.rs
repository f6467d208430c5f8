//! A claim by its name or its JSON Pointer.

use serde_json::Value;

use crate::token::Object;

/// The claim of this name; of this JSON Pointer (RFC 6901) if it starts with a slash.
pub(crate) fn find<'a>(claims: &'a Object, name_or_pointer: &str) -> Option<&'a Value> {
    let Some(pointer) = name_or_pointer.strip_prefix('/') else { return claims.get(name_or_pointer) };
    let (first, rest) = match pointer.find('/') {
        Some(end) => pointer.split_at(end),
        None => (pointer, ""),
    };
    claims.get(&first.replace("~1", "/").replace("~0", "~"))?.pointer(rest)
}
