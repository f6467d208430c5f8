//! The serde formats of durations and sizes.

use std::{fmt, time::Duration};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Expected, Visitor},
};

use super::{parse_duration, parse_size};

/// Declares two modules for serde's `with`: for a value, and for an optional one.
macro_rules! formats {
    ($name:ident, $optional:ident: $type:ty as $written:ident, $what:literal) => {
        #[doc = concat!("A ", $what, ", for serde's `with`.")]
        pub mod $name {
            use super::*;

            #[doc = concat!("Writes a ", $what, " as a number.")]
            ///
            /// # Errors
            ///
            /// The serializer's own.
            pub fn serialize<S: Serializer>(value: &$type, serializer: S) -> Result<S::Ok, S::Error> {
                $written(*value).serialize(serializer)
            }

            #[doc = concat!("Reads a ", $what, ": a number, or a text with its unit.")]
            ///
            /// # Errors
            ///
            /// An error with the expected forms and the value, if it has another form.
            pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                $written::deserialize(deserializer).map(|$written(value)| value)
            }
        }

        #[doc = concat!("An optional ", $what, ", for serde's `with`; beside `default`, so that it may be left out.")]
        pub mod $optional {
            use super::*;

            #[doc = concat!("Writes a ", $what, " as a number, or null.")]
            ///
            /// # Errors
            ///
            /// The serializer's own.
            pub fn serialize<S: Serializer>(value: &Option<$type>, serializer: S) -> Result<S::Ok, S::Error> {
                value.map($written).serialize(serializer)
            }

            #[doc = concat!("Reads a ", $what, ": a number, a text with its unit, or null.")]
            ///
            /// # Errors
            ///
            /// An error with the expected forms and the value, if it has another form.
            pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<$type>, D::Error> {
                Ok(Option::deserialize(deserializer)?.map(|$written(value)| value))
            }
        }
    };
}

formats!(duration, optional_duration: Duration as AsDuration, "duration");
formats!(size, optional_size: usize as AsSize, "size in bytes");

/// A duration as it is written.
pub(super) struct AsDuration(pub(super) Duration);

/// A size as it is written.
pub(super) struct AsSize(usize);

impl Serialize for AsDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.subsec_nanos() {
            0 => serializer.serialize_u64(self.0.as_secs()),
            _ => serializer.serialize_f64(self.0.as_secs_f64()),
        }
    }
}

impl Serialize for AsSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for AsDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DurationVisitor)
    }
}

impl<'de> Deserialize<'de> for AsSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SizeVisitor)
    }
}

/// The error of a wrong value of the right type: the expected forms, and the value.
fn wrong<E: Error>(visitor: &dyn Expected, got: impl fmt::Display) -> E {
    E::custom(format_args!("expected {visitor}, got {got}"))
}

struct DurationVisitor;

impl Visitor<'_> for DurationVisitor {
    type Value = AsDuration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds, or a duration with its unit, as \"250ms\", \"5s\", \"2m\" or \"1h\"")
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<AsDuration, E> {
        Ok(AsDuration(Duration::from_secs(seconds)))
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<AsDuration, E> {
        u64::try_from(seconds).map(Duration::from_secs).map(AsDuration).map_err(|_| wrong(&self, seconds))
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<AsDuration, E> {
        Duration::try_from_secs_f64(seconds).map(AsDuration).map_err(|_| wrong(&self, seconds))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<AsDuration, E> {
        parse_duration(text).map(AsDuration).ok_or_else(|| wrong(&self, format_args!("{text:?}")))
    }
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = AsSize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of bytes, or a size with its unit, as \"64KiB\" or \"32MiB\"")
    }

    fn visit_u64<E: Error>(self, bytes: u64) -> Result<AsSize, E> {
        usize::try_from(bytes).map(AsSize).map_err(|_| wrong(&self, bytes))
    }

    fn visit_i64<E: Error>(self, bytes: i64) -> Result<AsSize, E> {
        usize::try_from(bytes).map(AsSize).map_err(|_| wrong(&self, bytes))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<AsSize, E> {
        parse_size(text).map(AsSize).ok_or_else(|| wrong(&self, format_args!("{text:?}")))
    }
}
