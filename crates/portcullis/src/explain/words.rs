//! Times and foreign text, in a form that is safe to show.

use std::time::{Duration, SystemTime};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::units::span;

/// The last second of the year 9999, the last one in RFC 3339's format.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// Seconds since 1970 as a time, with its distance from now; none after the year 9999.
pub(super) fn instant_and_distance(seconds: f64, now: SystemTime) -> Option<String> {
    let instant = instant(seconds)?;
    let now = match now.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => since.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    };
    let distance = span(Duration::try_from_secs_f64((seconds - now).abs()).ok()?);
    Some(if seconds > now { format!("{instant}, in {distance}") } else { format!("{instant}, {distance} ago") })
}

/// A system time in RFC 3339's format.
pub(super) fn timestamp(time: SystemTime) -> Option<String> {
    instant(time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs_f64())
}

/// Whole seconds since 1970 as `2026-11-24T10:00:00Z` (RFC 3339 section 5.6).
fn instant(seconds: f64) -> Option<String> {
    if !(0.0..=LAST_SECOND).contains(&seconds) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "within the range above")]
    let seconds = seconds as i64;
    OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(&Rfc3339).ok()
}

/// Foreign text, cut to a number of characters and without control and invisible ones.
pub(super) fn clean(text: &str, longest: usize) -> String {
    let mut clean: String = text.chars().take(longest).map(visible).collect();
    if text.chars().nth(longest).is_some() {
        clean.pop();
        clean.push('…');
    }
    clean
}

fn visible(character: char) -> char {
    if character.is_control() || is_invisible(character) { '\u{fffd}' } else { character }
}

/// Tells whether a character is invisible and changes others: turns their direction, joins them, or has no width.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339_says() {
        let table = [
            (0.0, "1970-01-01T00:00:00Z"),
            (951_782_400.0, "2000-02-29T00:00:00Z"),
            (951_868_800.9, "2000-03-01T00:00:00Z"),
            (1_709_164_799.0, "2024-02-28T23:59:59Z"),
            (4_107_542_400.0, "2100-03-01T00:00:00Z"),
            (LAST_SECOND, "9999-12-31T23:59:59Z"),
        ];
        for (seconds, expected) in table {
            assert_eq!(instant(seconds).unwrap(), expected);
        }
        for beyond in [-1.0, LAST_SECOND + 1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(instant(beyond), None, "{beyond}");
        }
    }

    #[test]
    fn a_time_is_told_by_its_distance_too() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        assert_eq!(instant_and_distance(910.0, now).unwrap(), "1970-01-01T00:15:10Z, 90 s ago");
        assert_eq!(instant_and_distance(1_300.0, now).unwrap(), "1970-01-01T00:21:40Z, in 5 min");
    }

    #[test]
    fn foreign_text_steers_nothing_and_is_cut() {
        assert_eq!(clean("a\x1b[31m\u{202e}b\u{9b}", 99), "a\u{fffd}[31m\u{fffd}b\u{fffd}");
        assert_eq!(clean("abcd", 4), "abcd");
        assert_eq!(clean("abcde", 4), "abc…");
    }
}
