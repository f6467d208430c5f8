//! Keys as Prometheus writes them, and the table in its text format, version 0.0.4.

use std::{
    collections::{BTreeMap, btree_map},
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{
    Kind,
    table::{Entry, Table},
};

/// The counter of metrics for which there was no room.
pub(crate) const LEFT_OUT: &str = "portcullis_nginx_metrics_left_out_total";
const LEFT_OUT_HELP: &str = "Metrics for which the shared memory zone had no room, counted once by each worker process";

impl Table {
    /// Writes all metrics in the text format, with the given help texts by name.
    pub(crate) fn text(&self, help: &BTreeMap<String, String>) -> String {
        let mut families = Families::default();
        families.add(LEFT_OUT, "", Kind::Counter, Value::Counter(self.left_out()));
        for entry in self.entries() {
            if let (Some((name, labels)), Some(value)) = (split(&entry.key, entry.kind), Value::read(&entry)) {
                families.add(name, labels, entry.kind, value);
            }
        }
        let mut out = String::new();
        for (name, family) in &families.0 {
            let own = (name == LEFT_OUT).then_some(LEFT_OUT_HELP);
            family.write(&mut out, name, help.get(name).map(String::as_str).or(own));
        }
        out
    }
}

/// Writes the key of a metric, with the label `worker` if it is a gauge.
///
/// Labels are sorted by name. A label with the name of one that is written here gets the prefix `exported_`, as Prometheus does
/// it; of two labels with one name the first stays.
pub(crate) fn key<'a>(
    kind: Kind,
    metric: &str,
    labels: impl Iterator<Item = (&'a str, &'a str)>,
    worker: &str,
) -> String {
    let own = kind.own_label();
    let mut sorted = BTreeMap::new();
    for (label, value) in labels {
        let label = name(label, false);
        let label = if own == Some(label.as_str()) { format!("exported_{label}") } else { label };
        sorted.entry(label).or_insert(value);
    }
    if let (Kind::Gauge, Some(own)) = (kind, own) {
        sorted.insert(own.to_owned(), worker);
    }
    let mut key = name(metric, true);
    let mut before = '{';
    for (label, value) in &sorted {
        // Writing to a String does not fail, here and below.
        let _ = write!(key, "{before}{label}=\"{}\"", escaped(value, true));
        before = ',';
    }
    if !sorted.is_empty() {
        key.push('}');
    }
    key
}

/// Makes a name that Prometheus takes: other characters become `_`.
pub(crate) fn name(text: &str, colons: bool) -> String {
    let name: String =
        text.chars().enumerate().map(|(at, found)| if may_stand(at, found, colons) { found } else { '_' }).collect();
    if name.is_empty() { "_".to_owned() } else { name }
}

fn is_name(text: &str, colons: bool) -> bool {
    !text.is_empty() && text.chars().enumerate().all(|(at, found)| may_stand(at, found, colons))
}

/// Tells whether a character may stand in a name: colons are for the names of metrics alone.
fn may_stand(at: usize, found: char, colons: bool) -> bool {
    found.is_ascii_alphabetic() || found == '_' || (at > 0 && found.is_ascii_digit()) || (colons && found == ':')
}

/// Escapes a help text or, with quotes, the value of a label.
fn escaped(text: &str, quotes: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for found in text.chars() {
        match found {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            _ => out.push(found),
        }
    }
    out
}

/// Splits a key into name and labels. Returns `None` unless it is written as [`key`] writes it, so that a damaged key cannot
/// spoil other lines.
fn split(key: &str, kind: Kind) -> Option<(&str, &str)> {
    let (name, labels) = match key.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}').filter(|labels| !labels.is_empty())?),
        None => (key, ""),
    };
    (is_name(name, true) && are_labels(labels, kind)).then_some((name, labels))
}

fn are_labels(labels: &str, kind: Kind) -> bool {
    let reserved = kind.own_label().filter(|_| kind == Kind::Histogram);
    let mut rest = labels;
    let mut before = "";
    while !rest.is_empty() {
        let Some((label, after)) = rest.split_once("=\"") else { return false };
        if !is_name(label, false) || label <= before || reserved == Some(label) {
            return false;
        }
        before = label;
        let Some(after) = after_value(after) else { return false };
        rest = match after.strip_prefix(',') {
            Some("") => return false,
            Some(next) => next,
            None if after.is_empty() => after,
            None => return false,
        };
    }
    true
}

/// Returns the text after the quote that ends a value.
fn after_value(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => return Some(chars.as_str()),
            '\\' if !matches!(chars.next()?, '\\' | '"' | 'n') => return None,
            '\n' => return None,
            _ => {}
        }
    }
}

/// Metrics by name.
#[derive(Default)]
struct Families(BTreeMap<String, Family>);

/// All series of a name, by their labels.
struct Family {
    kind: Kind,
    series: BTreeMap<String, Value>,
}

impl Families {
    /// Adds a series. A name has one kind, that of its first series: a series of another kind is left out.
    fn add(&mut self, name: &str, labels: &str, kind: Kind, value: Value) {
        let family = self.0.entry(name.to_owned()).or_insert_with(|| Family { kind, series: BTreeMap::new() });
        if family.kind != kind {
            return;
        }
        match family.series.entry(labels.to_owned()) {
            btree_map::Entry::Vacant(place) => _ = place.insert(value),
            btree_map::Entry::Occupied(mut place) => place.get_mut().add(value),
        }
    }
}

impl Family {
    fn write(&self, out: &mut String, name: &str, help: Option<&str>) {
        if let Some(help) = help {
            let _ = writeln!(out, "# HELP {name} {}", escaped(help, false));
        }
        let _ = writeln!(out, "# TYPE {name} {}", self.kind.name());
        for (labels, value) in &self.series {
            let braced = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
            let _ = match value {
                Value::Counter(count) => writeln!(out, "{name}{braced} {count}"),
                Value::Gauge(value) => writeln!(out, "{name}{braced} {}", number(*value)),
                Value::Histogram { sum, buckets, count } => {
                    let comma = if labels.is_empty() { "" } else { "," };
                    for (bound, count) in buckets {
                        let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"{}\"}} {count}", number(*bound));
                    }
                    let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {count}");
                    let _ = writeln!(out, "{name}_sum{braced} {}", number(*sum));
                    writeln!(out, "{name}_count{braced} {count}")
                }
            };
        }
    }
}

/// Writes a number as the text format does.
fn number(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        _ => value.to_string(),
    }
}

/// The value of a series.
enum Value {
    Counter(u64),
    Gauge(f64),
    Histogram {
        sum: f64,
        /// Bounds, with the number of values up to each.
        buckets: Vec<(f64, u64)>,
        count: u64,
    },
}

impl Value {
    fn read(entry: &Entry) -> Option<Self> {
        let load = |word: &AtomicU64| word.load(Ordering::Relaxed);
        let (first, rest) = entry.values.split_first()?;
        Some(match entry.kind {
            Kind::Counter => Self::Counter(load(first)),
            Kind::Gauge => Self::Gauge(f64::from_bits(load(first))),
            Kind::Histogram => {
                let sum = f64::from_bits(load(first));
                let mut count = 0_u64;
                let mut up_to = rest.iter().map(|word| {
                    count = count.saturating_add(load(word));
                    count
                });
                // The bounds first: `zip` would take a count more from `up_to` before it saw that they end.
                let buckets = entry.bounds.iter().copied().zip(up_to.by_ref()).collect();
                up_to.for_each(drop);
                Self::Histogram { sum, buckets, count }
            }
        })
    }

    /// Adds another entry of the same series. Of gauges the later one stays.
    fn add(&mut self, other: Self) {
        match (self, other) {
            (Self::Counter(count), Self::Counter(more)) => *count = count.saturating_add(more),
            (Self::Gauge(value), Self::Gauge(later)) => *value = later,
            (
                Self::Histogram { sum, buckets, count },
                Self::Histogram { sum: more_sum, buckets: more, count: more_count },
            ) => {
                *sum += more_sum;
                *count = count.saturating_add(more_count);
                // After a change of the bounds, only of those in both it is known how many values they hold.
                buckets.retain_mut(|(bound, up_to)| {
                    let found = more.iter().find(|(other, _)| other == bound);
                    *up_to = up_to.saturating_add(found.map_or(0, |(_, more)| *more));
                    found.is_some()
                });
            }
            // `Families::add` compares kinds.
            _ => {}
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
