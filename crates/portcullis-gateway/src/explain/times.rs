//! Times on the command line and in the report.

use std::time::{Duration, SystemTime};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Reads a point in time: RFC 3339, or seconds since 1970.
pub(super) fn time(text: &str) -> Result<SystemTime, String> {
    let wrong = || "expected a time such as 2026-11-24T10:00:00Z, or seconds since 1970".to_owned();
    if let Ok(seconds) = text.parse::<u64>() {
        return SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).ok_or_else(wrong);
    }
    OffsetDateTime::parse(text, &Rfc3339).map(SystemTime::from).map_err(|_| wrong())
}

/// Writes a time by RFC 3339, in whole seconds.
pub(super) fn told(time: SystemTime) -> Option<String> {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    OffsetDateTime::from_unix_timestamp(seconds.try_into().ok()?).ok()?.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rfc_3339_or_seconds() {
        let at = |seconds| Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(time("1970-01-01T00:01:00Z"), at(60));
        assert_eq!(time("1970-01-01T01:01:00+01:00"), at(60));
        assert_eq!(time("60"), at(60));
        for wrong in ["", "yesterday", "-60", "1970-01-01", "1e9", "18446744073709551615", "99999999999999999999"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
        assert_eq!(told(at(60).unwrap()).unwrap(), "1970-01-01T00:01:00Z");
    }
}
