//! Numbers in readable form.

use figures::Figure;

/// The median, and the range of the windows if they differ.
pub(crate) fn cell(figure: &Figure) -> String {
    let shown = |value| shown(value, &figure.unit);
    let (median, low, high) = (shown(figure.median), shown(figure.low), shown(figure.high));
    if low == high { median } else { format!("{median} <sub>{}</sub>", range(&low, &high)) }
}

/// A range, with the unit once if both ends have the same.
fn range(low: &str, high: &str) -> String {
    match (low.split_once(' '), high.split_once(' ')) {
        (Some((low, unit)), Some((_, other))) if unit == other => format!("{low}–{high}"),
        _ => format!("{low}–{high}"),
    }
}

/// A value with its unit.
pub(crate) fn shown(value: f64, unit: &str) -> String {
    match unit {
        "ns" => scaled(value, &[(1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns")]),
        "bytes" => scaled(value, &[(1_048_576.0, "MiB"), (1024.0, "KiB"), (1.0, "B")]),
        "ratio" => format!("{value:.3}"),
        "%" => format!("{value:.0} %"),
        "MiB" | "MB" | "tokens/s" => format!("{} {unit}", digits(value)),
        // The column's name has the unit.
        _ => digits(value),
    }
}

/// The value in the first unit not larger than it, else in the last.
fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    let unit = units.iter().find(|(size, _)| value >= *size).or(units.last());
    unit.map_or_else(String::new, |(size, name)| format!("{} {name}", digits(value / size)))
}

/// Three significant digits; large numbers as whole numbers in groups of three digits.
fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    let text = if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.decimals$}") };
    grouped(&text)
}

fn grouped(text: &str) -> String {
    let (whole, rest) = text.split_once('.').map_or((text, ""), |(whole, rest)| (whole, rest));
    let groups: Vec<_> = whole.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    let whole = groups.join(",");
    if rest.is_empty() { whole } else { format!("{whole}.{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_with_units() {
        for (value, unit, text) in [
            (95_123.4, "req/s", "95,123"),
            (1_234_567.0, "req/s", "1,234,567"),
            (243.0, "ns", "243 ns"),
            (16_123.0, "ns", "16.1 µs"),
            (0.5, "ns", "0.50 ns"),
            (2_500_000.0, "ns", "2.50 ms"),
            (12_582_912.0, "bytes", "12 MiB"),
            (0.9512, "ratio", "0.951"),
            (98.7, "%", "99 %"),
            (1.0, "fetches", "1"),
        ] {
            assert_eq!(shown(value, unit), text);
        }
    }

    #[test]
    fn a_range_only_where_there_is_one() {
        let figure = |windows| Figure::of("t", "r", "c", "fetches", windows);
        assert_eq!(cell(&figure(vec![1.0, 1.0])), "1");
        assert_eq!(cell(&figure(vec![3.0, 1.0, 2.0])), "2 <sub>1–3</sub>");
        let times = |windows| Figure::of("t", "r", "c", "ns", windows);
        assert_eq!(cell(&times(vec![300.0, 320.0, 354.0])), "320 ns <sub>300–354 ns</sub>");
        assert_eq!(cell(&times(vec![300.0, 320.0, 1200.0])), "320 ns <sub>300 ns–1.20 µs</sub>");
    }
}
