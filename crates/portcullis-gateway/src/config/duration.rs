//! Times: `"250ms"`, `"5s"`, `"2m"`, `"1h"`.

use std::time::Duration;

use portcullis::units::parse_duration;

use super::file::{Read, Value};

/// The longest time that a configuration can name.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads a time from zero to a day.
pub(super) fn duration(value: &Value<'_>) -> Read<Duration> {
    let wrong = |got: &str| {
        value
            .problem(format!("expected a time of a day at most, got {got}"))
            .help("write a number and its unit, as in \"250ms\", \"5s\", \"2m\" or \"1h\"")
    };
    if let Ok(number @ serde_json::Value::Number(_)) = value.json() {
        return Err(wrong(&format!("{number} without a unit")));
    }
    let text = value.text()?;
    parse_duration(text).filter(|time| *time <= LONGEST).ok_or_else(|| wrong(&format!("\"{text}\"")))
}

/// Reads a time longer than zero.
pub(super) fn some_time(value: &Value<'_>) -> Read<Duration> {
    match duration(value)? {
        Duration::ZERO => {
            Err(value.problem("expected a time longer than zero").help("with zero, nothing would be in time"))
        }
        time => Ok(time),
    }
}
