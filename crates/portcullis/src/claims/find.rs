//! A claim by its name or its JSON Pointer.

use std::borrow::Cow;

use crate::json::{Object, Value};

/// The mistake of a text that is no JSON Pointer, and what to do.
pub(crate) const NO_POINTER: &str =
    "expected a JSON Pointer, got a `~` without 0 or 1 after it: write `~` as `~0`, and a `/` in a name as `~1`";

/// Tells whether a text is a name, or, if it starts with a slash, a JSON Pointer (RFC 6901 section 3).
pub(crate) fn is_name_or_pointer(text: &str) -> bool {
    !text.starts_with('/') || text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']))
}

/// The claim of this name, or, if the text starts with a slash, of this JSON Pointer (RFC 6901).
pub(crate) fn find<'a>(claims: &'a Object, name_or_pointer: &str) -> Option<Value<'a>> {
    let Some(pointer) = name_or_pointer.strip_prefix('/') else { return claims.get(name_or_pointer) };
    let mut steps = pointer.split('/').map(unescaped);
    let first = claims.get(&steps.next()?)?;
    steps.try_fold(first, |value, step| member(value, &step))
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
        let read = |pointer: &str| pointer.split('/').map(|step| unescaped(step).into_owned()).collect();
        let steps = name_or_pointer.strip_prefix('/').map(read);
        Self { text: name_or_pointer.to_owned(), steps }
    }

    /// The name or pointer, as it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The claim at this path.
    pub(crate) fn of<'a>(&self, claims: &'a Object) -> Option<Value<'a>> {
        let Some(steps) = &self.steps else { return claims.get(&self.text) };
        let (first, rest) = steps.split_first()?;
        rest.iter().try_fold(claims.get(first)?, |value, step| member(value, step))
    }
}

/// A step of a pointer, unescaped; copied only if something in it is escaped.
fn unescaped(step: &str) -> Cow<'_, str> {
    if step.contains('~') { step.replace("~1", "/").replace("~0", "~").into() } else { step.into() }
}

fn member<'a>(value: Value<'a>, step: &str) -> Option<Value<'a>> {
    if value.is_array() { element(value, step) } else { value.get(step) }
}

/// The element at an index: digits without leading zeros (RFC 6901 section 4).
fn element<'a>(array: Value<'a>, index: &str) -> Option<Value<'a>> {
    let leading_zero = index.starts_with('0') && index.len() > 1;
    if leading_zero || !index.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    array.elements().nth(index.parse().ok()?)
}
