//! A [`Value`] as a deserializer: your own types are read from it, without parsing the text again.

use serde::{
    de::{
        Deserializer, Error, IntoDeserializer, Unexpected, Visitor,
        value::{BorrowedStrDeserializer, MapAccessDeserializer, MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};

use super::{Value, tape::Kind};

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.kind() {
            Kind::Null => visitor.visit_unit(),
            Kind::False => visitor.visit_bool(false),
            Kind::True => visitor.visit_bool(true),
            Kind::Unsigned => visitor.visit_u64(self.bits()),
            Kind::Signed => visitor.visit_i64(self.bits().cast_signed()),
            Kind::Float => visitor.visit_f64(f64::from_bits(self.bits())),
            Kind::String => visitor.visit_borrowed_str(self.as_str().unwrap_or_default()),
            Kind::Array => {
                let mut elements = SeqDeserializer::new(self.elements());
                let value = visitor.visit_seq(&mut elements)?;
                elements.end().map(|()| value)
            }
            Kind::Object => {
                let mut members = MapDeserializer::new(self.members());
                let value = visitor.visit_map(&mut members)?;
                members.end().map(|()| value)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        match self.kind() {
            Kind::String => visitor.visit_enum(BorrowedStrDeserializer::new(self.as_str().unwrap_or_default())),
            Kind::Object => visitor.visit_enum(MapAccessDeserializer::new(MapDeserializer::new(self.members()))),
            _ => Err(Error::invalid_type(Unexpected::Other("neither a string nor an object"), &"an enum")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier
    }
}

impl<'de> IntoDeserializer<'de, serde_json::Error> for Value<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
