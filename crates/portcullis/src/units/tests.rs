//! Durations and sizes, in each of their forms.

use serde_json::{Value, json};

use super::{formats::AsDuration, *};

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
