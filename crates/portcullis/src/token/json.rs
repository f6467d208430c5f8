//! Strict JSON: objects only, no member named twice at any depth, a bounded depth (RFC 8725 section 2.5, RFC 8259 section 4).

use std::{cell::Cell, fmt, sync::LazyLock};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use super::Object;
use crate::refusal::JsonFault;

/// How deep objects and arrays may stand in each other.
const MAX_DEPTH: usize = 32;

/// What serde_json calls the only member of a number when its `arbitrary_precision` feature is on.
const ARBITRARY_PRECISION_NUMBER: &str = "$serde_json::private::Number";

/// Whether that feature is on, which any crate in a build can switch on for all: only then is a
/// number of any size one.
static ARBITRARY_PRECISION: LazyLock<bool> = LazyLock::new(|| serde_json::from_str::<Number>("1e999").is_ok());

/// Reads one JSON object that fills the whole text.
pub(crate) fn object(text: &[u8]) -> Result<Object, JsonFault> {
    let fault = Cell::new(JsonFault::Syntax);
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let strict = Strict { depth: 0, arbitrary_precision: *ARBITRARY_PRECISION, fault: &fault };
    let value = strict.deserialize(&mut deserializer).and_then(|value| {
        deserializer.end()?;
        Ok(value)
    });
    match value {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(JsonFault::NotAnObject),
        Err(_) => Err(fault.get()),
    }
}

/// Builds a [`Value`], and leaves in `fault` why it could not.
#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    arbitrary_precision: bool,
    fault: &'a Cell<JsonFault>,
}

impl Strict<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(self.refuse(JsonFault::TooDeep));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn refuse<E: Error>(self, fault: JsonFault) -> E {
        self.fault.set(fault);
        E::custom(fault)
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| self.refuse(JsonFault::Syntax))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let seed = self.deeper()?;
        let mut array = Vec::new();
        while let Some(value) = elements.next_element_seed(seed)? {
            array.push(value);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let seed = self.deeper()?;
        let mut object = Object::new();
        while let Some(name) = members.next_key::<String>()? {
            if self.arbitrary_precision && name == ARBITRARY_PRECISION_NUMBER {
                let text: String = members.next_value()?;
                let alone = object.is_empty() && members.next_key::<String>()?.is_none();
                return self.number(&text, alone);
            }
            if object.insert(name, members.next_value_seed(seed)?).is_some() {
                return Err(self.refuse(JsonFault::DuplicateMember));
            }
        }
        Ok(Value::Object(object))
    }
}

impl Strict<'_> {
    /// A finite number, whose text was the only member of its object.
    fn number<E: Error>(self, text: &str, alone: bool) -> Result<Value, E> {
        let number: Option<Number> = text.parse().ok();
        let finite = number.filter(|number| alone && number.as_f64().is_some_and(f64::is_finite));
        finite.map(Value::Number).ok_or_else(|| self.refuse(JsonFault::Syntax))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unambiguous_objects_are_read() {
        let nested = |depth: usize| format!("{{\"a\":{}1{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        let (deepest, too_deep, very_deep) = (nested(MAX_DEPTH), nested(MAX_DEPTH + 1), nested(100_000));
        let table: &[(&[u8], Option<JsonFault>)] = &[
            (br#"{"a":1,"b":[1.5,-2,null,true,"x"],"c":{"a":1}}"#, None),
            (b" {} ", None),
            (deepest.as_bytes(), None),
            (too_deep.as_bytes(), Some(JsonFault::TooDeep)),
            (very_deep.as_bytes(), Some(JsonFault::TooDeep)),
            (br#"{"a":1,"a":1}"#, Some(JsonFault::DuplicateMember)),
            (br#"{"a":1,"\u0061":2}"#, Some(JsonFault::DuplicateMember)),
            (br#"{"a":{"b":1,"b":2}}"#, Some(JsonFault::DuplicateMember)),
            (br#"{"a":[{"b":1,"b":2}]}"#, Some(JsonFault::DuplicateMember)),
            (b"[]", Some(JsonFault::NotAnObject)),
            (b"\"{}\"", Some(JsonFault::NotAnObject)),
            (b"", Some(JsonFault::Syntax)),
            (b"{} {}", Some(JsonFault::Syntax)),
            (b"{}\0", Some(JsonFault::Syntax)),
            (b"{\"a\":1e400}", Some(JsonFault::Syntax)),
            (b"{\"a\":NaN}", Some(JsonFault::Syntax)),
            (b"{\"a\":01}", Some(JsonFault::Syntax)),
            (b"{\"a\":1,}", Some(JsonFault::Syntax)),
            (b"{'a':1}", Some(JsonFault::Syntax)),
            (b"\xef\xbb\xbf{}", Some(JsonFault::Syntax)),
            (b"{\"a\":\"\xff\"}", Some(JsonFault::Syntax)),
            (b"{\"a\":\"\\ud800\"}", Some(JsonFault::Syntax)),
            (b"{\"a\":\"\n\"}", Some(JsonFault::Syntax)),
        ];
        for (text, expected) in table {
            assert_eq!(object(text).err(), *expected, "{:.60}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn what_is_read_is_what_serde_json_reads() {
        let text = br#"{"a":[1,2.5,{"b":"\u00e9\n"}],"c":18446744073709551615,"d":-9223372036854775808}"#;
        assert_eq!(Value::Object(object(text).unwrap()), serde_json::from_slice::<Value>(text).unwrap());
    }

    #[test]
    fn a_member_that_is_named_like_a_number_is_a_member() {
        for text in
            [r#"{"exp":{"$serde_json::private::Number":"5"}}"#, r#"{"exp":{"a":1,"$serde_json::private::Number":"5"}}"#]
        {
            let read = object(text.as_bytes()).unwrap();
            assert!(read["exp"].is_object(), "{text}");
        }
    }

    #[test]
    fn where_numbers_come_as_objects_they_are_numbers() {
        use serde::de::value::{Error, MapDeserializer};
        let read = |members: &[(&'static str, &'static str)]| {
            let fault = Cell::new(JsonFault::Syntax);
            let strict = Strict { depth: 0, arbitrary_precision: true, fault: &fault };
            strict.deserialize(MapDeserializer::<_, Error>::new(members.iter().copied())).ok()
        };
        let number = ARBITRARY_PRECISION_NUMBER;
        assert_eq!(read(&[(number, "12.5")]).and_then(|value| value.as_f64()), Some(12.5));
        assert_eq!(read(&[(number, "x")]), None);
        assert_eq!(read(&[(number, "1e400")]), None);
        assert_eq!(read(&[(number, "5"), ("a", "b")]), None);
        assert!(read(&[("a", "b"), (number, "5")]).is_none(), "nothing is lost in silence");
    }
}
