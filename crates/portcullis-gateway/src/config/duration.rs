//! Times: `"250ms"`, `"5s"`, `"2m"`, `"1h"`.

use std::time::Duration;

use portcullis::units::parse_duration;

use super::file::{Read, Value};

/// The longest time of the gateway's own keys.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest leeway that the library accepts.
const LONGEST_LEEWAY: Duration = Duration::from_secs(5 * 60);

const HELP: &str = "write a number and its unit in quotes, as in \"250ms\", \"5s\", \"2m\" or \"1h\"";

/// Reads a time from zero to a day.
pub(super) fn duration(value: &Value<'_>) -> Read<Duration> {
    time(value, Some(LONGEST), HELP)
}

/// Reads a time longer than zero.
pub(super) fn some_time(value: &Value<'_>) -> Read<Duration> {
    match duration(value)? {
        Duration::ZERO => Err(value.wrong("a time longer than zero").help("with zero, nothing would be in time")),
        time => Ok(time),
    }
}

/// Reads a leeway.
pub(super) fn leeway(value: &Value<'_>) -> Read<Duration> {
    time(value, Some(LONGEST_LEEWAY), &format!("{HELP}; if clocks differ by more than five minutes, set the clocks"))
}

/// Reads a time of the rules for tokens, that another check may bound; a number is one of seconds, as `max_age` is in OpenID Connect.
pub(super) fn any_time(value: &Value<'_>) -> Read<Duration> {
    let seconds = value.json().ok().and_then(|number| number.as_f64());
    match seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
        Some(time) => Ok(time),
        None => time(value, None, HELP),
    }
}

fn time(value: &Value<'_>, longest: Option<Duration>, help: &str) -> Read<Duration> {
    let read = if value.is_text() { parse_duration(value.text()?) } else { None };
    let most = longest.map(|longest| format!(" (at most {})", shown(longest))).unwrap_or_default();
    read.filter(|time| longest.is_none_or(|longest| *time <= longest))
        .ok_or_else(|| value.wrong(&format!("a time with its unit, such as 30s{most}")).help(help))
}

/// Returns a time of whole minutes as it is written.
fn shown(time: Duration) -> String {
    match time.as_secs() / 60 {
        minutes if minutes.is_multiple_of(60) => format!("{}h", minutes / 60),
        minutes => format!("{minutes}m"),
    }
}
