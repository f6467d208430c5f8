//! iat, nbf, now and exp, side by side.

use std::time::SystemTime;

use portcullis::{CheckKind, Explanation};

use super::{report::unless, times};
use crate::terminal::{BAD, FAINT, GOOD, HEADING, styled, visible};

/// The width of the line.
const WIDTH: usize = 64;

/// The last second of the year 9999; later times are not drawn.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// A point on the line.
struct Point {
    name: &'static str,
    seconds: f64,
    told: String,
}

/// Returns the lines of text; none if the token names no time.
pub(super) fn of(explanation: &Explanation) -> Vec<String> {
    let mut points = points(explanation);
    if points.is_empty() {
        return Vec::new();
    }
    points.extend(now(explanation.now));
    points.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let doubt = unless(explanation.vouched, " (unverified)");
    let places = places(&points);
    let mut lines = vec![String::new(), styled(HEADING, "time line") + &doubt];
    lines.push(labels(&points, &places));
    lines.push(bar(&points, &places));
    lines.extend(points.iter().map(|point| format!("  {}  {}", point.name, visible(&point.told))));
    lines
}

fn points(explanation: &Explanation) -> Vec<Point> {
    let kinds = [("iat", CheckKind::IssuedAt), ("nbf", CheckKind::NotBefore), ("exp", CheckKind::Expiry)];
    let told = |kind| {
        let check = explanation.checks.iter().find(|check| check.kind == kind)?;
        Some(check.actual.as_ref()?.text.clone())
    };
    let point = |(name, kind)| point(name, explanation.time(kind)?, told(kind).unwrap_or_default());
    kinds.into_iter().filter_map(point).collect()
}

fn now(now: SystemTime) -> Option<Point> {
    point("now", now, times::told(now).unwrap_or_default())
}

fn point(name: &'static str, time: SystemTime, told: String) -> Option<Point> {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs_f64();
    (seconds <= LAST_SECOND).then_some(Point { name, seconds, told })
}

/// Returns the column of each point: in proportion, with room for the names.
fn places(points: &[Point]) -> Vec<usize> {
    let first = points.first().map_or(0.0, |point| point.seconds);
    let span = points.last().map_or(0.0, |point| point.seconds - first);
    let room = WIDTH - 4 * points.len();
    let mut next = 0;
    let place = |(index, point): (usize, &Point)| {
        let share = if span > 0.0 { (point.seconds - first) / span } else { 0.0 };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of 64"
        )]
        let wanted = (share * room as f64) as usize + 4 * index;
        let place = wanted.max(next);
        next = place + 4;
        place
    };
    points.iter().enumerate().map(place).collect()
}

fn labels(points: &[Point], places: &[usize]) -> String {
    let mut line = String::new();
    for (point, place) in points.iter().zip(places) {
        line.push_str(&" ".repeat(place.saturating_sub(line.len())));
        line.push_str(point.name);
    }
    format!("  {line}")
}

/// Draws the line: thick while the token is valid, with a dot for now.
fn bar(points: &[Point], places: &[usize]) -> String {
    let of = |name: &str| points.iter().find(|point| point.name == name).map(|point| point.seconds);
    let begin = of("nbf").or(of("iat")).unwrap_or(f64::MIN);
    let end = of("exp").unwrap_or(f64::MAX);
    let is_good = |seconds: f64| (begin..end).contains(&seconds);
    let mut line = String::new();
    for (index, (point, place)) in points.iter().zip(places).enumerate() {
        let mark = match point.name {
            "now" if is_good(point.seconds) => styled(GOOD, "●"),
            "now" => styled(BAD, "●"),
            _ => "┼".to_owned(),
        };
        line.push_str(&mark);
        if let Some(next) = places.get(index + 1) {
            let rest = next.saturating_sub(place + 1);
            let part = if is_good(point.seconds) { "━".repeat(rest) } else { styled(FAINT, &"─".repeat(rest)) };
            line.push_str(&part);
        }
    }
    format!("  {line}")
}
