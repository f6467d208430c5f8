//! Claims as a deserializer: what your own type is read from, without a copy.

use serde::{
    de::{Deserializer, Visitor, value::MapDeserializer},
    forward_to_deserialize_any,
};

use crate::token::Object;

/// Reads as the object does; a newtype around a map or a struct reads as what it wraps.
pub(super) struct ClaimsDeserializer<'a>(pub(super) &'a Object);

impl<'de> Deserializer<'de> for ClaimsDeserializer<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_map(MapDeserializer::new(self.0.iter().map(|(name, value)| (name.as_str(), value))))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
