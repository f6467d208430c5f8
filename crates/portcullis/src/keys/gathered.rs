//! JSON in which no member hides another of the same name.

use std::{collections::BTreeSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value, json};

/// A JSON value in which members of one name with different values are kept, as an object in their place.
///
/// No member of a JWK is an object, so that a key with two purposes, two numbers or two ids is not used (RFC 7517 section 4
/// lets each reader choose one of them).
pub(super) struct Gathered(pub(super) Value);

impl<'de> Deserialize<'de> for Gathered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
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
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Gathered(value)) = elements.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let (mut values, mut gathered) = (Map::new(), BTreeSet::new());
        while let Some((name, Gathered(value))) = members.next_entry::<String, _>()? {
            match values.get_mut(&name) {
                // Two different values are enough: each further one would nest deeper.
                Some(first) if *first == value || gathered.contains(&name) => {}
                Some(first) => {
                    *first = json!({ "twice": [first.take(), value] });
                    gathered.insert(name);
                }
                None => drop(values.insert(name, value)),
            }
        }
        Ok(Value::Object(values))
    }
}
