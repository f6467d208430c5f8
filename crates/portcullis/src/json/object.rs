//! A parsed JSON object.

use std::{fmt, iter};

use serde::{
    de::{Deserialize, Deserializer, Error},
    ser::{Serialize, Serializer},
};

use super::{
    Value,
    tape::{Kind, Word, behind},
};

/// A JSON object, compact and immutable: the claims of a token.
///
/// `Debug` redacts it, so that it stays out of logs; `Display` and [`serde::Serialize`] write its JSON.
///
/// # Example
///
/// ```
/// use portcullis::Claims;
///
/// fn roles(claims: &Claims) -> Vec<&str> {
///     claims.get("roles").into_iter().flat_map(|roles| roles.elements()).filter_map(|role| role.as_str()).collect()
/// }
/// ```
#[derive(Clone)]
pub struct Object {
    /// The text, followed by those of its strings that have escapes, unescaped.
    pub(super) strings: Box<str>,
    pub(super) text_len: usize,
    pub(super) tape: Box<[Word]>,
}

impl Object {
    /// The value of this member.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        self.root().get(name)
    }

    /// Tells whether there is a member of this name; it may be `null`.
    #[must_use]
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The members, in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        self.root().members()
    }

    /// The members whose names have this number of bytes: others are passed over unread.
    pub(crate) fn members_of_length<const N: usize>(&self) -> impl Iterator<Item = (&[u8; N], Value<'_>)> {
        let end = self.word(0).b();
        let mut at = 1;
        iter::from_fn(move || {
            while at < end {
                let (name, value) = (self.word(at), Value { object: self, at: at + 1 });
                at = self.behind(value.at);
                if name.b() == N {
                    let name = self.strings.as_bytes().get(name.a()..)?.first_chunk()?;
                    return Some((name, value));
                }
            }
            None
        })
    }

    /// The number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.word(0).a()
    }

    /// Tells whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The JSON text, to the letter.
    #[must_use]
    pub fn text(&self) -> &str {
        self.strings.get(..self.text_len).unwrap_or_default()
    }

    /// The bytes of the object on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.strings.len() + size_of_val(&*self.tape)
    }

    /// The object as a [`Value`].
    #[must_use]
    pub fn root(&self) -> Value<'_> {
        Value { object: self, at: 0 }
    }

    pub(super) fn word(&self, at: usize) -> Word {
        self.tape.get(at).copied().unwrap_or(Word::new(Kind::Null, 0, 0))
    }

    pub(super) fn string(&self, word: Word) -> &str {
        self.strings.get(word.a()..word.a() + word.b()).unwrap_or_default()
    }

    /// Tells whether a word stands for this string.
    pub(super) fn is_string(&self, word: Word, string: &str) -> bool {
        let bytes = self.strings.as_bytes().get(word.a()..word.a() + word.b());
        word.b() == string.len() && bytes == Some(string.as_bytes())
    }

    pub(super) fn behind(&self, at: usize) -> usize {
        behind(&self.tape, at)
    }
}

/// A JSON text of any kind, read as strictly as an [`Object`].
#[derive(Debug)]
pub(crate) struct Document(pub(super) Object);

impl Document {
    /// The text as a [`Value`].
    pub(crate) fn root(&self) -> Value<'_> {
        self.0.root()
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.root().serialize(serializer)
    }
}

/// For your own tests, and for fields of your own types: of members with the same name, the last one counts.
impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = serde_json::Map::deserialize(deserializer)?;
        super::object(serde_json::to_vec(&members).map_err(D::Error::custom)?).map_err(D::Error::custom)
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Object([redacted])")
    }
}
