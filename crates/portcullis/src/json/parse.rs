//! From a text to an [`Object`]: strict, in one pass.

use std::{fmt, sync::LazyLock};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::{
    Object,
    tape::{Kind, LONGEST_TEXT, Word},
};
use crate::refusal::JsonFault;

/// How deep objects and arrays may stand in each other.
pub(super) const MAX_DEPTH: usize = 32;

/// Up to so many members, each new name is compared with those before it; beyond, all are sorted.
const FEW_MEMBERS: usize = 32;

/// What serde_json calls the only member of a number when its `arbitrary_precision` feature is on.
pub(super) const ARBITRARY_PRECISION_NUMBER: &str = "$serde_json::private::Number";

/// Whether that feature is on, which any crate in a build can switch on for all: only then is a
/// number of any size one.
static ARBITRARY_PRECISION: LazyLock<bool> = LazyLock::new(|| serde_json::from_str::<Number>("1e999").is_ok());

/// Reads one JSON object that fills the whole text.
pub(crate) fn object(text: Vec<u8>) -> Result<Object, JsonFault> {
    let mut text = String::from_utf8(text).map_err(|_| JsonFault::Syntax)?;
    if text.len() > LONGEST_TEXT {
        return Err(JsonFault::Syntax);
    }
    let mut reader = Reader::new(&text, *ARBITRARY_PRECISION);
    let mut deserializer = serde_json::Deserializer::from_str(&text);
    let read = reader.value().deserialize(&mut deserializer).and_then(|()| deserializer.end());
    let Reader { tape, unescaped, fault, .. } = reader;
    match read {
        Err(_) => Err(fault),
        Ok(()) if tape.first().map(|word| word.kind()) != Some(Kind::Object) => Err(JsonFault::NotAnObject),
        Ok(()) => {
            let text_len = text.len();
            text.push_str(&unescaped);
            Ok(Object { strings: text.into_boxed_str(), text_len, tape: tape.into_boxed_slice() })
        }
    }
}

/// What is being built, and why it could not be.
pub(super) struct Reader<'t> {
    text: &'t str,
    tape: Vec<Word>,
    unescaped: String,
    /// The names so far of each object that is open, the innermost last.
    names: Vec<Word>,
    depth: usize,
    arbitrary_precision: bool,
    fault: JsonFault,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, arbitrary_precision: bool) -> Self {
        // Claims have a member in every 30 bytes or so, of two words or three.
        let tape = Vec::with_capacity(8 + text.len() / 12);
        let (unescaped, names) = (String::new(), Vec::with_capacity(FEW_MEMBERS));
        Self { text, tape, unescaped, names, depth: 0, arbitrary_precision, fault: JsonFault::Syntax }
    }

    pub(super) fn value(&mut self) -> ReadValue<'_, 't> {
        ReadValue(self)
    }

    #[cfg(test)]
    pub(super) fn tape(self) -> Vec<Word> {
        self.tape
    }

    fn refuse<E: Error>(&mut self, fault: JsonFault) -> E {
        self.fault = fault;
        E::custom(fault)
    }

    fn push(&mut self, kind: Kind) {
        self.tape.push(Word::new(kind, 0, 0));
    }

    fn push_number(&mut self, kind: Kind, bits: u64) {
        self.push(kind);
        self.tape.push(Word::bits(bits));
    }

    /// A string that stands in the text as it is: serde_json lends a part of it.
    fn push_borrowed(&mut self, part: &str) {
        let start = part.as_ptr().addr().wrapping_sub(self.text.as_ptr().addr());
        if self.text.get(start..start.wrapping_add(part.len())) == Some(part) {
            self.tape.push(Word::new(Kind::String, start, part.len()));
        } else {
            self.push_unescaped(part);
        }
    }

    fn push_unescaped(&mut self, string: &str) {
        self.tape.push(Word::new(Kind::String, self.text.len() + self.unescaped.len(), string.len()));
        self.unescaped.push_str(string);
    }

    /// A finite number, whose text was the only member of its object.
    fn push_number_text<E: Error>(&mut self, text: &str, alone: bool) -> Result<(), E> {
        let number: Option<Number> = text.parse().ok().filter(|_| alone);
        let number = number.ok_or_else(|| self.refuse(JsonFault::Syntax))?;
        match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(whole), _, _) => self.push_number(Kind::Unsigned, whole),
            (_, Some(whole), _) => self.push_number(Kind::Signed, whole.cast_unsigned()),
            (_, _, Some(float)) if float.is_finite() => self.push_number(Kind::Float, float.to_bits()),
            _ => return Err(self.refuse(JsonFault::Syntax)),
        }
        Ok(())
    }

    /// Begins an array or object: its word is filled in at its end.
    fn open<E: Error>(&mut self, kind: Kind) -> Result<usize, E> {
        if self.depth == MAX_DEPTH {
            return Err(self.refuse(JsonFault::TooDeep));
        }
        self.depth += 1;
        self.push(kind);
        Ok(self.tape.len() - 1)
    }

    fn close(&mut self, at: usize, kind: Kind, children: usize) {
        self.depth -= 1;
        let end = self.tape.len();
        if let Some(word) = self.tape.get_mut(at) {
            *word = Word::new(kind, children, end);
        }
    }

    /// Adds a name of the object whose names begin at `first`; false if it is one of the first few.
    fn add_name(&mut self, name: Word, first: usize) -> bool {
        let text = self.string(name);
        let mut few = self.names.iter().skip(first).take(FEW_MEMBERS);
        let differs = few.all(|other| other.b() != name.b() || self.string(*other) != text);
        self.names.push(name);
        differs
    }

    /// Takes the names of an object that ends; false if one stands there twice.
    fn end_names(&mut self, first: usize) -> bool {
        let differ = self.names.len() - first <= FEW_MEMBERS || {
            let mut names: Vec<_> = self.names.iter().skip(first).map(|name| self.string(*name)).collect();
            names.sort_unstable();
            names.windows(2).all(|pair| pair.first() != pair.last())
        };
        self.names.truncate(first);
        differ
    }

    fn string(&self, word: Word) -> &str {
        match word.a().checked_sub(self.text.len()) {
            None => self.text.get(word.a()..word.a() + word.b()),
            Some(start) => self.unescaped.get(start..start + word.b()),
        }
        .unwrap_or_default()
    }
}

/// Reads one value onto the tape.
pub(super) struct ReadValue<'r, 't>(&'r mut Reader<'t>);

impl<'de> DeserializeSeed<'de> for ReadValue<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ReadValue<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.push(Kind::Null);
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.0.push(if value { Kind::True } else { Kind::False });
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.0.push_number(Kind::Signed, value.cast_unsigned());
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.0.push_number(Kind::Unsigned, value);
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        if !value.is_finite() {
            return Err(self.0.refuse(JsonFault::Syntax));
        }
        self.0.push_number(Kind::Float, value.to_bits());
        Ok(())
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<(), E> {
        self.0.push_borrowed(value);
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.0.push_unescaped(value);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let reader = self.0;
        let at = reader.open(Kind::Array)?;
        let mut count = 0;
        while elements.next_element_seed(reader.value())?.is_some() {
            count += 1;
        }
        reader.close(at, Kind::Array, count);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let reader = self.0;
        let at = reader.open(Kind::Object)?;
        let first = reader.names.len();
        loop {
            let name_at = reader.tape.len();
            if members.next_key_seed(reader.value())?.is_none() {
                break;
            }
            let name = reader.tape.get(name_at).copied().unwrap_or(Word::bits(0));
            if reader.arbitrary_precision && reader.string(name) == ARBITRARY_PRECISION_NUMBER {
                let text: String = members.next_value()?;
                let alone = reader.names.len() == first && members.next_key::<String>()?.is_none();
                reader.tape.truncate(at);
                reader.depth -= 1;
                return reader.push_number_text(&text, alone);
            }
            if !reader.add_name(name, first) {
                return Err(reader.refuse(JsonFault::DuplicateMember));
            }
            members.next_value_seed(reader.value())?;
        }
        let count = reader.names.len() - first;
        if !reader.end_names(first) {
            return Err(reader.refuse(JsonFault::DuplicateMember));
        }
        reader.close(at, Kind::Object, count);
        Ok(())
    }
}
