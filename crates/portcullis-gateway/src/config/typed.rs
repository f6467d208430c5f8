//! Reads values into types of the library by serde, and gives each mistake the place of its value.
//!
//! Names and types of fields come from the types themselves: a new field is read without a line here.

use std::{fmt::Display, path::Path, vec};

use serde::{
    Deserializer,
    de::{
        self, DeserializeOwned, DeserializeSeed, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
        value::MapAccessDeserializer,
    },
    forward_to_deserialize_any,
};
use toml::{
    Spanned,
    de::{DeArray, DeValue},
};

use super::{
    duration::any_time,
    file::{Field, File, alternatives, nearest, suggestion, unknown},
    problem::{Problem, Problems},
    value::Value,
};

/// Reads a struct from those of its fields that have a value.
pub(super) fn read<'a, T: DeserializeOwned>(fields: &[Field<'a>], file: &File<'a>) -> Result<T, Problem> {
    let fields: Vec<_> = fields.iter().map(|(key, value)| (*key, Typed { value: value.clone(), file })).collect();
    T::deserialize(MapAccessDeserializer::new(Members::of(fields)))
}

/// Returns the names of a struct's fields.
pub(crate) fn fields<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // This always ends with an error, since there is nothing to read.
    let _ = T::deserialize(Names(&mut names));
    names
}

/// The kind of a field's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Flag,
    List,
    Text,
    Other,
}

/// Finds the kind of a field by trying which values it takes.
pub(crate) fn kind<T: DeserializeOwned>(field: &'static str) -> Kind {
    let file = File { problems: Problems::default(), base: Path::new("") };
    let takes = |value: &DeValue<'_>| read::<T>(&[(field, Value { value, place: 0..0 })], &file).is_ok();
    let nowhere = |value| Spanned::new(0..0, value);
    let text = || DeValue::String("a".into());
    let rule = || DeValue::Table([(Spanned::new(0..0, "name".into()), nowhere(text()))].into_iter().collect());
    let list_of = |value| DeValue::Array([nowhere(value)].into_iter().collect());
    let samples = [
        (DeValue::Boolean(true), Kind::Flag),
        (list_of(text()), Kind::List),
        (list_of(rule()), Kind::List),
        (DeValue::Array(DeArray::new()), Kind::List),
        (text(), Kind::Text),
    ];
    samples.iter().find(|(value, _)| takes(value)).map_or(Kind::Other, |(_, kind)| *kind)
}

/// The words by which the library expects a time begin so: it takes a bare number for seconds.
const TIME: &str = "a number of seconds";

/// A value, for serde.
#[derive(Clone)]
struct Typed<'f, 'a> {
    value: Value<'a>,
    file: &'f File<'a>,
}

impl<'a> Typed<'_, 'a> {
    /// Returns the members of a table. If only some are known, each other one is noted.
    fn members(&self, known: Option<&[&str]>) -> Vec<(&'a str, Self)> {
        let DeValue::Table(entries) = self.value.value else { return Vec::new() };
        let is_known = |key: &str| known.is_none_or(|known| known.contains(&key));
        for (key, value) in entries.iter().filter(|(key, _)| !is_known(key.get_ref())) {
            self.file.problems.note(unknown(key, value, known.unwrap_or_default()));
        }
        let typed = |value| Self { value: Value::from(value), file: self.file };
        let known = entries.iter().filter(|(key, _)| is_known(key.get_ref()));
        known.map(|(key, value)| (key.get_ref().as_ref(), typed(value))).collect()
    }

    /// Reads the value. A mistake without a place gets that of the value.
    fn seed<'de, S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Problem> {
        let place = self.value.place();
        seed.deserialize(self).map_err(|problem| problem.at(place))
    }

    fn elements(&self) -> Vec<Self> {
        let values = self.value.array("an array").unwrap_or_default();
        values.into_iter().map(|value| Self { value, file: self.file }).collect()
    }
}

impl<'de> Deserializer<'de> for Typed<'_, '_> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        if (&visitor as &dyn Expected).to_string().starts_with(TIME) {
            any_time(&self.value)?;
        }
        match self.value.value {
            DeValue::String(text) => visitor.visit_str(text),
            DeValue::Boolean(boolean) => visitor.visit_bool(*boolean),
            DeValue::Array(_) => visitor.visit_seq(Elements(self.elements().into_iter())),
            DeValue::Table(_) => visitor.visit_map(Members::of(self.members(None))),
            // Rules compare claims, and JSON has neither dates nor infinite numbers.
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) => {
                let json = self.value.json()?;
                match (json.as_i64(), json.as_f64()) {
                    (Some(integer), _) => visitor.visit_i64(integer),
                    (None, Some(fraction)) => visitor.visit_f64(fraction),
                    (None, None) => Err(self.value.expected("a number")),
                }
            }
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        if !self.value.is_table() {
            return self.deserialize_any(visitor);
        }
        visitor.visit_map(Members::of(self.members(Some(fields))))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        match self.value.value {
            DeValue::String(text) => visitor.visit_enum(text.as_ref().into_deserializer()),
            _ => Err(self.value.no_word(words)),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

/// The elements of an array, for serde.
struct Elements<'f, 'a>(vec::IntoIter<Typed<'f, 'a>>);

impl<'de> SeqAccess<'de> for Elements<'_, '_> {
    type Error = Problem;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Problem> {
        self.0.next().map(|element| element.seed(seed)).transpose()
    }
}

/// The members of a table, for serde.
struct Members<'f, 'a> {
    rest: vec::IntoIter<(&'a str, Typed<'f, 'a>)>,
    next: Option<Typed<'f, 'a>>,
}

impl<'f, 'a> Members<'f, 'a> {
    fn of(members: Vec<(&'a str, Typed<'f, 'a>)>) -> Self {
        Self { rest: members.into_iter(), next: None }
    }
}

impl<'de> MapAccess<'de> for Members<'_, '_> {
    type Error = Problem;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Problem> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        self.next = Some(value);
        seed.deserialize(key.into_deserializer()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Problem> {
        let value = self.next.take().ok_or_else(|| Problem::somewhere("expected a value, got none"))?;
        value.seed(seed)
    }
}

/// Turns serde's errors into problems, without text of the file: it may be a misplaced secret.
impl de::Error for Problem {
    fn custom<T: Display>(message: T) -> Self {
        Self::somewhere(message.to_string())
    }

    fn invalid_type(got: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        let (what, help) = match expected.as_str() {
            "a string" => ("a text", Some("write it in quotes")),
            "a boolean" => ("`true` or `false`", Some("write it without quotes")),
            "a sequence" => ("an array", Some("write it in brackets, as in [\"a\", \"b\"]")),
            "u16" | "u32" | "u64" | "usize" => ("a whole number", Some("write it without quotes, fractions or a sign")),
            "a map" => ("a table", Some("write it in braces, as in { \"a\" = [\"b\"] }")),
            text if text.starts_with("struct ") => ("a table", None),
            other => (other, None),
        };
        let problem = Self::somewhere(format!("expected {what}, got {}", name_of(got)));
        if let Some(help) = help { problem.help(help) } else { problem }
    }

    fn invalid_value(got: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::somewhere(format!("expected {expected}, got {}", another(got)))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::somewhere(format!("expected {}, got another text", alternatives(expected)))
            .help(suggestion(nearest(variant, expected), expected))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::somewhere(format!("expected `{field}` in this table, got none"))
    }
}

fn name_of(got: Unexpected<'_>) -> &'static str {
    match got {
        Unexpected::Str(_) | Unexpected::Char(_) => "a text",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "an integer",
        Unexpected::Float(_) => "a fraction",
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Seq => "an array",
        Unexpected::Map | Unexpected::StructVariant => "a table",
        _ => "something else",
    }
}

fn another(got: Unexpected<'_>) -> String {
    match got {
        Unexpected::Unsigned(number) => number.to_string(),
        Unexpected::Signed(number) => number.to_string(),
        Unexpected::Float(number) => number.to_string(),
        Unexpected::Bool(boolean) => boolean.to_string(),
        Unexpected::Str(_) => "another text".to_owned(),
        got => name_of(got).to_owned(),
    }
}

/// Records the fields that a struct requests.
struct Names<'n>(&'n mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("names are asked for, not values"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
