//! Durations and sizes as configurations write them, for every door: as text with a unit, or as a number.
//!
//! | | text | number |
//! |---|---|---|
//! | duration | `"250ms"`, `"5s"`, `"2m"`, `"1h"` | seconds, fractions allowed |
//! | size | `"64KiB"`, `"32MiB"`, `"5kB"`, `"100B"` | bytes |
//!
//! [`duration`](mod@duration), [`optional_duration`], [`size`](mod@size) and [`optional_size`] are for serde's `with`.
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//!
//! #[derive(serde::Deserialize)]
//! struct Settings {
//!     #[serde(with = "portcullis::units::duration")]
//!     timeout: Duration,
//! }
//!
//! for text in [r#"{ "timeout": "2m" }"#, r#"{ "timeout": 120 }"#, r#"{ "timeout": 120.0 }"#] {
//!     let settings: Settings = serde_json::from_str(text)?;
//!     assert_eq!(settings.timeout, Duration::from_secs(120));
//! }
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::{fmt, time::Duration};

const MILLISECONDS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

const BYTES: [(&str, u64); 7] = [
    ("B", 1),
    ("kB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
];

/// Reads a duration: whole digits and one of the units `ms`, `s`, `m` and `h`.
///
/// ```
/// use portcullis::units::parse_duration;
///
/// assert_eq!(parse_duration("2m"), Some(std::time::Duration::from_secs(120)));
/// assert_eq!(parse_duration("2"), None);
/// ```
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    parse(text, &MILLISECONDS).map(Duration::from_millis)
}

/// Reads a size in bytes: whole digits and one of the units `B`, `kB`, `KiB`, `MB`, `MiB`, `GB` and `GiB`.
///
/// ```
/// use portcullis::units::parse_size;
///
/// assert_eq!(parse_size("64KiB"), Some(65_536));
/// assert_eq!(parse_size("64"), None);
/// ```
#[must_use]
pub fn parse_size(text: &str) -> Option<usize> {
    usize::try_from(parse(text, &BYTES)?).ok()
}

fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, unit) = text.split_at_checked(text.find(|character: char| !character.is_ascii_digit())?)?;
    let unit = unit.trim_start_matches(' ');
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// Writes a duration in two units at the most, for people: `90 s`, `4 min 30 s`, `2 d 3 h`.
pub(crate) fn span(duration: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    /// Shorter spans are written in seconds alone.
    const IN_SECONDS: u64 = 120;
    let mut rest = duration.as_secs();
    match rest {
        0 => return "less than a second".to_owned(),
        1..IN_SECONDS => return format!("{rest} s"),
        _ => {}
    }
    let mut words = Vec::new();
    for (size, name) in UNITS {
        if rest >= size {
            words.push(format!("{} {name}", rest / size));
            rest %= size;
        }
    }
    words.truncate(2);
    words.join(" ")
}

/// A [`Duration`], for serde's `with`.
pub mod duration {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::AsDuration;

    /// Writes the number of seconds.
    ///
    /// # Errors
    ///
    /// The serializer's own.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        AsDuration(*duration).serialize(serializer)
    }

    /// Reads a number of seconds, or a text with a unit.
    ///
    /// # Errors
    ///
    /// What was expected, and the value, if it is anything else.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        AsDuration::deserialize(deserializer).map(|AsDuration(duration)| duration)
    }
}

/// An optional [`Duration`], for serde's `with`; with `default`, absence is none.
pub mod optional_duration {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::AsDuration;

    /// Writes the number of seconds, if there is one.
    ///
    /// # Errors
    ///
    /// The serializer's own.
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        duration.map(AsDuration).serialize(serializer)
    }

    /// Reads a number of seconds, or a text with a unit; null is none.
    ///
    /// # Errors
    ///
    /// What was expected, and the value, if it is anything else.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::deserialize(deserializer)?.map(|AsDuration(duration)| duration))
    }
}

/// A number of bytes, for serde's `with`.
pub mod size {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::AsSize;

    /// Writes the number of bytes.
    ///
    /// # Errors
    ///
    /// The serializer's own.
    pub fn serialize<S: Serializer>(size: &usize, serializer: S) -> Result<S::Ok, S::Error> {
        size.serialize(serializer)
    }

    /// Reads a number of bytes, or a text with a unit.
    ///
    /// # Errors
    ///
    /// What was expected, and the value, if it is anything else.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
        AsSize::deserialize(deserializer).map(|AsSize(size)| size)
    }
}

/// An optional number of bytes, for serde's `with`; with `default`, absence is none.
pub mod optional_size {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::AsSize;

    /// Writes the number of bytes, if there is one.
    ///
    /// # Errors
    ///
    /// The serializer's own.
    pub fn serialize<S: Serializer>(size: &Option<usize>, serializer: S) -> Result<S::Ok, S::Error> {
        size.serialize(serializer)
    }

    /// Reads a number of bytes, or a text with a unit; null is none.
    ///
    /// # Errors
    ///
    /// What was expected, and the value, if it is anything else.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
        Ok(Option::deserialize(deserializer)?.map(|AsSize(size)| size))
    }
}

struct AsDuration(Duration);

struct AsSize(usize);

impl serde::Serialize for AsDuration {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.subsec_nanos() {
            0 => serializer.serialize_u64(self.0.as_secs()),
            _ => serializer.serialize_f64(self.0.as_secs_f64()),
        }
    }
}

impl<'de> serde::Deserialize<'de> for AsDuration {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DurationVisitor)
    }
}

impl<'de> serde::Deserialize<'de> for AsSize {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SizeVisitor)
    }
}

/// An error of a value that is of the right type: what was expected, what it is.
fn wrong<E: serde::de::Error>(visitor: &dyn serde::de::Expected, got: impl fmt::Display) -> E {
    E::custom(format_args!("expected {visitor}, got {got}"))
}

struct DurationVisitor;

impl serde::de::Visitor<'_> for DurationVisitor {
    type Value = AsDuration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds, or a duration with its unit, as \"250ms\", \"5s\", \"2m\" or \"1h\"")
    }

    fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<AsDuration, E> {
        Ok(AsDuration(Duration::from_secs(seconds)))
    }

    fn visit_i64<E: serde::de::Error>(self, seconds: i64) -> Result<AsDuration, E> {
        u64::try_from(seconds).map(Duration::from_secs).map(AsDuration).map_err(|_| wrong(&self, seconds))
    }

    fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<AsDuration, E> {
        Duration::try_from_secs_f64(seconds).map(AsDuration).map_err(|_| wrong(&self, seconds))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<AsDuration, E> {
        parse_duration(text).map(AsDuration).ok_or_else(|| wrong(&self, format_args!("{text:?}")))
    }
}

struct SizeVisitor;

impl serde::de::Visitor<'_> for SizeVisitor {
    type Value = AsSize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of bytes, or a size with its unit, as \"64KiB\" or \"32MiB\"")
    }

    fn visit_u64<E: serde::de::Error>(self, bytes: u64) -> Result<AsSize, E> {
        usize::try_from(bytes).map(AsSize).map_err(|_| wrong(&self, bytes))
    }

    fn visit_i64<E: serde::de::Error>(self, bytes: i64) -> Result<AsSize, E> {
        usize::try_from(bytes).map(AsSize).map_err(|_| wrong(&self, bytes))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<AsSize, E> {
        parse_size(text).map(AsSize).ok_or_else(|| wrong(&self, format_args!("{text:?}")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_duration_is_a_number_of_seconds_or_has_its_unit() {
        let read = |value: &Value| duration::deserialize(value).ok();
        let table = [
            (json!("250ms"), Some(250)),
            (json!("5s"), Some(5_000)),
            (json!("5 s"), Some(5_000)),
            (json!("2m"), Some(120_000)),
            (json!("1h"), Some(3_600_000)),
            (json!("0s"), Some(0)),
            (json!(5), Some(5_000)),
            (json!(0.25), Some(250)),
            (json!(0), Some(0)),
            (json!(""), None),
            (json!("5"), None),
            (json!("s"), None),
            (json!("-5s"), None),
            (json!("5.5s"), None),
            (json!("5S"), None),
            (json!("5sec"), None),
            (json!("1d"), None),
            (json!(" 5s"), None),
            (json!("99999999999999999999s"), None),
            (json!("18446744073709551615h"), None),
            (json!(-1), None),
            (json!(-0.5), None),
            (json!(1e300), None),
            (json!(true), None),
            (json!(null), None),
            (json!([5]), None),
        ];
        for (value, milliseconds) in table {
            assert_eq!(read(&value), milliseconds.map(Duration::from_millis), "{value}");
        }
    }

    #[test]
    fn a_size_is_a_number_of_bytes_or_has_its_unit() {
        let table = [
            (json!("0B"), Some(0)),
            (json!("64KiB"), Some(65_536)),
            (json!("32MiB"), Some(33_554_432)),
            (json!("1 GiB"), Some(1 << 30)),
            (json!("5kB"), Some(5_000)),
            (json!(65_536), Some(65_536)),
            (json!(""), None),
            (json!("5"), None),
            (json!("MiB"), None),
            (json!("-1B"), None),
            (json!("1.5MiB"), None),
            (json!("1mib"), None),
            (json!("1TiB"), None),
            (json!("99999999999999999999B"), None),
            (json!("18446744073709551615GiB"), None),
            (json!(-1), None),
            (json!(1.5), None),
            (json!(false), None),
        ];
        for (value, size) in table {
            assert_eq!(size::deserialize(&value).ok(), size, "{value}");
        }
    }

    #[test]
    fn errors_say_what_was_expected_and_what_it_is() {
        let error = |value: &Value| duration::deserialize(value).unwrap_err().to_string();
        let expected = r#"a number of seconds, or a duration with its unit, as "250ms", "5s", "2m" or "1h""#;
        assert_eq!(error(&json!("5sec")), format!(r#"expected {expected}, got "5sec""#));
        assert_eq!(error(&json!(-3)), format!("expected {expected}, got -3"));
        assert!(error(&json!(true)).contains(expected));
    }

    #[test]
    fn durations_are_written_as_they_are_read() {
        for duration in [Duration::ZERO, Duration::from_secs(300), Duration::from_millis(1), Duration::from_nanos(1)] {
            let written = serde_json::to_value(AsDuration(duration)).unwrap();
            assert_eq!(duration::deserialize(&written).unwrap(), duration, "{written}");
        }
    }

    #[test]
    fn spans_have_two_units_at_the_most() {
        let table = [
            (0, "less than a second"),
            (1, "1 s"),
            (90, "90 s"),
            (119, "119 s"),
            (120, "2 min"),
            (270, "4 min 30 s"),
            (3_600, "1 h"),
            (90_061, "1 d 1 h"),
            (86_401, "1 d 1 s"),
        ];
        for (seconds, expected) in table {
            assert_eq!(span(Duration::from_secs(seconds)), expected);
        }
    }
}
