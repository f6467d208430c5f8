//! A view of one value in an [`Object`].

use std::{
    fmt::{self, Write},
    iter,
};

use serde::ser::{Serialize, Serializer};
use serde_json::Number;

use super::{
    Object,
    tape::{Kind, Word},
};

/// One JSON value of an [`Object`]: a claim, an element of an array, a member of a nested object.
///
/// # Example
///
/// ```
/// use portcullis::Claims;
///
/// fn is_adult(claims: &Claims) -> bool {
///     claims.get("age").and_then(|age| age.as_u64()).is_some_and(|age| age >= 18)
/// }
/// ```
#[derive(Clone, Copy)]
pub struct Value<'a> {
    pub(super) object: &'a Object,
    pub(super) at: usize,
}

impl<'a> Value<'a> {
    /// The text of a string.
    #[must_use]
    pub fn as_str(self) -> Option<&'a str> {
        (self.kind() == Kind::String).then(|| self.object.string(self.word()))
    }

    /// A boolean.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        match self.kind() {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// A whole number that fits, written without fraction and exponent.
    #[must_use]
    pub fn as_u64(self) -> Option<u64> {
        self.as_number()?.as_u64()
    }

    /// A whole number that fits, written without fraction and exponent.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        self.as_number()?.as_i64()
    }

    /// Any number; beyond 2^53, the nearest `f64`.
    #[must_use]
    pub fn as_f64(self) -> Option<f64> {
        self.as_number()?.as_f64()
    }

    /// Tells whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// Tells whether it is an array.
    #[must_use]
    pub fn is_array(self) -> bool {
        self.kind() == Kind::Array
    }

    /// Tells whether it is an object.
    #[must_use]
    pub fn is_object(self) -> bool {
        self.kind() == Kind::Object
    }

    /// The elements of an array; none for any other value.
    pub fn elements(self) -> impl Iterator<Item = Value<'a>> {
        let end = if self.is_array() { self.word().b() } else { 0 };
        let mut at = self.at + 1;
        iter::from_fn(move || {
            let element = (at < end).then_some(Value { at, ..self })?;
            at = self.object.behind(at);
            Some(element)
        })
    }

    /// The members of an object, in the order of the text; none for any other value.
    pub fn members(self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        let end = if self.is_object() { self.word().b() } else { 0 };
        let mut at = self.at + 1;
        iter::from_fn(move || {
            let name = (at < end).then_some(self.object.word(at))?;
            let value = Value { at: at + 1, ..self };
            at = self.object.behind(value.at);
            Some((self.object.string(name), value))
        })
    }

    /// The member of this name of an object.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Value<'a>> {
        let end = if self.is_object() { self.word().b() } else { 0 };
        let mut at = self.at + 1;
        while at < end {
            if self.object.is_string(self.object.word(at), name) {
                return Some(Value { at: at + 1, ..self });
            }
            at = self.object.behind(at + 1);
        }
        None
    }

    /// The same value as a [`serde_json::Value`]; a number beyond 64 bits is the nearest `f64`.
    #[must_use]
    pub fn to_json(self) -> serde_json::Value {
        match self.kind() {
            Kind::Null => serde_json::Value::Null,
            Kind::False => false.into(),
            Kind::True => true.into(),
            Kind::Unsigned | Kind::Signed | Kind::Float => self.as_number().map_or(serde_json::Value::Null, Into::into),
            Kind::String => self.as_str().into(),
            Kind::Array => self.elements().map(Value::to_json).collect(),
            Kind::Object => self.members().map(|(name, value)| (name.to_owned(), value.to_json())).collect(),
        }
    }

    pub(crate) fn as_number(self) -> Option<Number> {
        match self.kind() {
            Kind::Unsigned => Some(self.bits().into()),
            Kind::Signed => Some(self.bits().cast_signed().into()),
            Kind::Float => Number::from_f64(f64::from_bits(self.bits())),
            _ => None,
        }
    }

    /// The text of a number, to the letter: beyond 64 bits a number is read as the nearest `f64`.
    pub(crate) fn number_text(self) -> Option<&'a str> {
        let is_number = matches!(self.kind(), Kind::Unsigned | Kind::Signed | Kind::Float);
        is_number.then(|| self.object.string(self.word()))
    }

    /// The bits of a number.
    pub(super) fn bits(self) -> u64 {
        self.object.word(self.at + 1).to_bits()
    }

    /// The number of elements or members.
    pub(crate) fn len(self) -> usize {
        match self.kind() {
            Kind::Array | Kind::Object => self.word().a(),
            _ => 0,
        }
    }

    fn word(self) -> Word {
        self.object.word(self.at)
    }

    pub(super) fn kind(self) -> Kind {
        self.word().kind()
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.kind() {
            Kind::Null => serializer.serialize_unit(),
            Kind::False => serializer.serialize_bool(false),
            Kind::True => serializer.serialize_bool(true),
            Kind::Unsigned | Kind::Signed | Kind::Float => self.as_number().serialize(serializer),
            Kind::String => self.as_str().serialize(serializer),
            Kind::Array => serializer.collect_seq(self.elements()),
            Kind::Object => serializer.collect_map(self.members()),
        }
    }
}

impl PartialEq<str> for Value<'_> {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl PartialEq<&str> for Value<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == Some(*other)
    }
}

/// The JSON text of the value, without white space; numbers are as they were written.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            Kind::Null => f.write_str("null"),
            Kind::False => f.write_str("false"),
            Kind::True => f.write_str("true"),
            Kind::Unsigned | Kind::Signed | Kind::Float => f.write_str(self.number_text().unwrap_or_default()),
            Kind::String => write_string(f, self.as_str().unwrap_or_default()),
            Kind::Array => {
                let elements = self.elements().map(|element| (None, element));
                write_all(f, '[', elements, ']')
            }
            Kind::Object => write_all(f, '{', self.members().map(|(name, value)| (Some(name), value)), '}'),
        }
    }
}

fn write_all<'a>(
    f: &mut fmt::Formatter<'_>,
    begin: char,
    values: impl Iterator<Item = (Option<&'a str>, Value<'a>)>,
    end: char,
) -> fmt::Result {
    f.write_char(begin)?;
    for (index, (name, value)) in values.enumerate() {
        if index > 0 {
            f.write_char(',')?;
        }
        if let Some(name) = name {
            write_string(f, name)?;
            f.write_char(':')?;
        }
        fmt::Display::fmt(&value, f)?;
    }
    f.write_char(end)
}

fn write_string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}

/// The JSON text of the value.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
