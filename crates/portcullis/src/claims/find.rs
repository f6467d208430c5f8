//! A claim by its name or its JSON Pointer.

use crate::json::{Object, Value};

/// The claim of this name; of this JSON Pointer (RFC 6901) if it starts with a slash.
pub(crate) fn find<'a>(claims: &'a Object, name_or_pointer: &str) -> Option<Value<'a>> {
    match name_or_pointer.starts_with('/') {
        true => ClaimPath::new(name_or_pointer).of(claims),
        false => claims.get(name_or_pointer),
    }
}

/// The name or JSON Pointer of a claim, read once.
#[derive(Debug, Clone)]
pub(crate) struct ClaimPath {
    text: String,
    /// The steps of a pointer, unescaped.
    steps: Option<Vec<String>>,
}

impl ClaimPath {
    pub(crate) fn new(name_or_pointer: &str) -> Self {
        let unescaped = |step: &str| step.replace("~1", "/").replace("~0", "~");
        let steps = name_or_pointer.strip_prefix('/').map(|pointer| pointer.split('/').map(unescaped).collect());
        Self { text: name_or_pointer.to_owned(), steps }
    }

    /// The name or pointer, as it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The claim that stands there.
    pub(crate) fn of<'a>(&self, claims: &'a Object) -> Option<Value<'a>> {
        let Some(steps) = &self.steps else { return claims.get(&self.text) };
        let (first, rest) = steps.split_first()?;
        rest.iter().try_fold(
            claims.get(first)?,
            |value, step| {
                if value.is_array() { element(value, step) } else { value.get(step) }
            },
        )
    }
}

/// The element at an index: digits without leading zeros (RFC 6901 section 4).
fn element<'a>(array: Value<'a>, index: &str) -> Option<Value<'a>> {
    let leading_zero = index.starts_with('0') && index.len() > 1;
    if leading_zero || !index.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    array.elements().nth(index.parse().ok()?)
}
