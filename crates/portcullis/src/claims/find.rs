//! A claim by its name or its JSON Pointer.

use crate::json::{Object, Value};

/// The claim of this name; of this JSON Pointer (RFC 6901) if it starts with a slash.
pub(crate) fn find<'a>(claims: &'a Object, name_or_pointer: &str) -> Option<Value<'a>> {
    let Some(pointer) = name_or_pointer.strip_prefix('/') else { return claims.get(name_or_pointer) };
    let mut steps = pointer.split('/').map(|step| step.replace("~1", "/").replace("~0", "~"));
    let first = claims.get(&steps.next()?)?;
    steps.try_fold(first, |value, step| if value.is_array() { element(value, &step) } else { value.get(&step) })
}

/// The element at an index: digits without leading zeros (RFC 6901 section 4).
fn element<'a>(array: Value<'a>, index: &str) -> Option<Value<'a>> {
    let leading_zero = index.starts_with('0') && index.len() > 1;
    if leading_zero || !index.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    array.elements().nth(index.parse().ok()?)
}
