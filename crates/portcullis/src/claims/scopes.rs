//! The scope of a token: the claim that holds it, and its values.

use super::find;
use crate::{
    check::text_or_json,
    json::{Object, Value},
};

/// The claims that may hold the scope, unless an issuer's rules name others (RFC 8693 section 4.2, RFC 9068 section 2.2.3).
pub(crate) const SCOPE_CLAIMS: [&str; 2] = ["scope", "scp"];

/// The scope that claims grant. No other claim grants any.
#[derive(Clone, Copy)]
pub(crate) struct GrantedScope<'a> {
    claim: Option<Value<'a>>,
}

impl<'a> GrantedScope<'a> {
    /// The scope of the first of these claims that is present, with any value.
    pub(crate) fn of<N: AsRef<str>>(claims: &'a Object, names: &[N]) -> Self {
        Self { claim: names.iter().find_map(|name| find(claims, name.as_ref())) }
    }

    /// The scope values: the words of a string (RFC 8693 section 4.2), or the strings of an array, as many servers write it.
    ///
    /// An element of an array is one value, and is never split.
    pub(crate) fn values(self) -> impl Iterator<Item = &'a str> {
        self.text().split(' ').filter(|value| !value.is_empty()).chain(self.elements())
    }

    /// Tells whether this value is granted, to the letter (RFC 6749 section 3.3).
    ///
    /// A text that is not a scope value is never granted: not even by an equal element of an array.
    pub(crate) fn has(self, value: &str) -> bool {
        // Bytes, since a search for each space of a short text takes five times the instructions.
        let mut words = self.text().as_bytes().split(|byte| *byte == b' ');
        let is_word = !value.is_empty() && words.any(|word| word == value.as_bytes());
        // No word has a space; an element may.
        is_word || self.elements().any(|element| element == value && is_scope_value(value))
    }

    fn text(self) -> &'a str {
        self.claim.and_then(Value::as_str).unwrap_or_default()
    }

    fn elements(self) -> impl Iterator<Item = &'a str> {
        self.claim.into_iter().flat_map(Value::elements).filter_map(Value::as_str)
    }

    /// The claim that holds the scope.
    pub(crate) fn claim(self) -> Option<Value<'a>> {
        self.claim
    }

    /// The values as one text; an array, and a claim that grants nothing, as JSON.
    pub(crate) fn in_words(self) -> String {
        let values = self.values().collect::<Vec<_>>().join(" ");
        let is_array = self.claim.is_some_and(Value::is_array);
        if values.is_empty() || is_array { text_or_json(self.claim) } else { values }
    }
}

/// Tells whether a text is a `scope-token` (RFC 6749 section 3.3), as configured scope values have to be.
pub(crate) const fn is_scope_token(text: &str) -> bool {
    let mut bytes = text.as_bytes();
    let mut is = !bytes.is_empty();
    while let [byte, rest @ ..] = bytes {
        is = is && byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
        bytes = rest;
    }
    is
}

/// Tells whether a text can be a scope value of a token, whose issuer may go beyond RFC 6749: it is not empty, and has no space
/// in it.
pub(crate) fn is_scope_value(text: &str) -> bool {
    !text.is_empty() && !text.as_bytes().contains(&b' ')
}
