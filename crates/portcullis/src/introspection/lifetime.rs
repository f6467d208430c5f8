//! The time for which an answer may be kept.

use std::time::Duration;

use http::HeaderMap;

use crate::transport::cache_control;

/// The configured time, or the answer's `Cache-Control: max-age` if that is shorter.
///
/// With `no-store`, `max-age` does not count: authorization servers put both on every answer, for caches in between, and
/// RFC 7662 section 4 leaves the time to the resource server.
pub(super) fn lifetime(headers: &HeaderMap, longest: Duration) -> Duration {
    if cache_control(headers).any(|(name, _)| name.eq_ignore_ascii_case("no-store")) {
        return longest;
    }
    cache_control(headers)
        .filter(|(name, argument)| name.eq_ignore_ascii_case("max-age") && argument.is_some())
        // An age that is no number counts as zero.
        .map(|(_, seconds)| seconds.and_then(|seconds| seconds.parse().ok()).unwrap_or(0))
        .min()
        .map_or(longest, |age| Duration::from_secs(age).min(longest))
}

#[cfg(test)]
mod tests {
    use http::header::CACHE_CONTROL;

    use super::*;

    #[test]
    fn the_shorter_time_counts() {
        let table: &[(&[&str], u64)] = &[
            (&[], 60),
            (&["private"], 60),
            (&["max-age=10"], 10),
            (&["public, Max-Age = \"10\""], 10),
            (&["max-age=10", "max-age=5"], 5),
            (&["max-age=3600"], 60),
            (&["max-age=0"], 0),
            (&["max-age=soon"], 0),
            (&["max-age=-1"], 0),
            (&["no-store"], 60),
            (&["no-cache, no-store, max-age=0, must-revalidate"], 60),
        ];
        for (fields, expected) in table {
            let mut headers = HeaderMap::new();
            for field in *fields {
                headers.append(CACHE_CONTROL, field.parse().unwrap());
            }
            assert_eq!(lifetime(&headers, Duration::from_secs(60)).as_secs(), *expected, "{fields:?}");
        }
    }
}
