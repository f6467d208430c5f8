//! Durations and sizes in configurations, for every door: as text with a unit, or as a number.
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

mod formats;

pub use formats::{duration, optional_duration, optional_size, size};

use std::time::Duration;

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

#[cfg(test)]
mod tests;
