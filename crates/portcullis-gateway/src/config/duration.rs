//! Times as people write them: `"250ms"`, `"5s"`, `"2m"`, `"1h"`.

use std::time::Duration;

use super::file::{Read, Value};

/// The longest time that a configuration can name.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

/// A time from zero to a day.
pub(super) fn duration(value: &Value<'_>) -> Read<Duration> {
    let wrong = |came: &str| {
        value
            .problem(format!("expected a time of a day at most, {came} came"))
            .help("write a number and its unit, as in \"250ms\", \"5s\", \"2m\" or \"1h\"")
    };
    if let Some(number) = value.as_integer() {
        return Err(wrong(&format!("{number} without a unit")));
    }
    let text = value.text()?;
    parse(text).filter(|time| *time <= LONGEST).ok_or_else(|| wrong(&format!("\"{text}\"")))
}

/// A time that is not zero.
pub(super) fn some_time(value: &Value<'_>) -> Read<Duration> {
    match duration(value)? {
        Duration::ZERO => {
            Err(value.problem("expected a time longer than zero").help("with zero, nothing would be in time"))
        }
        time => Ok(time),
    }
}

/// A number and its unit.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.find(|character: char| !character.is_ascii_digit())?)?;
    let unit = unit.trim_start_matches(' ');
    let (_, milliseconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*milliseconds).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_its_unit() {
        for (text, milliseconds) in
            [("250ms", 250), ("5s", 5_000), ("2m", 120_000), ("1h", 3_600_000), ("0s", 0), ("5 s", 5_000)]
        {
            assert_eq!(parse(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in
            ["", "5", "s", "-5s", "5.5s", "5S", "5sec", "1d", " 5s", "99999999999999999999s", "18446744073709551615h"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
