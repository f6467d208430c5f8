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
pub(super) mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::counters::zone;

    /// Checks that a text is a well-formed exposition, by other means than those that wrote it.
    #[track_caller]
    pub(in crate::counters) fn check(text: &str) {
        assert!(text.ends_with('\n'), "{text}");
        let (mut families, mut samples) = (BTreeSet::new(), BTreeSet::new());
        let (mut family, mut kind, mut helped) = ("", "", "");
        let mut cumulative: Option<(String, u64)> = None;
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                helped = help.split(' ').next().unwrap();
                continue;
            }
            if let Some(typed) = line.strip_prefix("# TYPE ") {
                (family, kind) = typed.split_once(' ').unwrap();
                assert!(helped.is_empty() || helped == family, "help of another family: {line}\n{text}");
                helped = "";
                assert!(families.last().is_none_or(|last| *last < family), "not in order: {line}\n{text}");
                families.insert(family);
                continue;
            }
            assert_eq!(helped, "", "help without a type\n{text}");
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert!(samples.insert(series), "twice: {line}\n{text}");
            let (name, labels) = parse(series);
            match (kind, name.strip_prefix(family).unwrap()) {
                ("counter", "") => _ = value.parse::<u64>().unwrap(),
                ("gauge", "") | ("histogram", "_sum") => {
                    let odd = ["NaN", "+Inf", "-Inf"].contains(&value);
                    assert!(odd || value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
                }
                ("histogram", "_bucket") => {
                    let (rest, le) = labels.split_at(labels.len() - 1);
                    assert_eq!(le[0].0, "le", "{line}");
                    let count = value.parse().unwrap();
                    let series = format!("{rest:?}");
                    if let Some((before, less)) = &cumulative {
                        assert!(*before != series || *less <= count, "fewer: {line}\n{text}");
                    }
                    cumulative = Some((series, count));
                }
                ("histogram", "_count") => {
                    let (series, count) = cumulative.take().unwrap();
                    assert_eq!((format!("{labels:?}"), value.parse().unwrap()), (series, count), "{line}\n{text}");
                }
                _ => panic!("expected a sample of the {kind} {family}, got {line}\n{text}"),
            }
        }
    }

    /// Parses name and labels, character by character.
    #[track_caller]
    fn parse(series: &str) -> (String, Vec<(String, String)>) {
        let mut chars = series.chars().peekable();
        let take_name = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>, more: &str| {
            let mut name = String::new();
            while let Some(found) = chars.next_if(|found| found.is_ascii_alphanumeric() || more.contains(*found)) {
                name.push(found);
            }
            assert!(!name.is_empty() && !name.starts_with(|found: char| found.is_ascii_digit()), "{series}");
            name
        };
        let name = take_name(&mut chars, "_:");
        let mut labels = Vec::new();
        if chars.next().is_none_or(|brace| brace != '{') {
            assert_eq!(name, series);
            return (name, labels);
        }
        loop {
            let label = take_name(&mut chars, "_");
            assert_eq!((chars.next(), chars.next()), (Some('='), Some('"')), "{series}");
            let mut value = String::new();
            loop {
                match chars.next().unwrap() {
                    '"' => break,
                    '\\' => value.push(match chars.next() {
                        Some('n') => '\n',
                        Some(found @ ('\\' | '"')) => found,
                        other => panic!("expected an escape, got {other:?} in {series}"),
                    }),
                    found => value.push(found),
                }
            }
            assert!(labels.iter().all(|(other, _)| *other != label), "a label twice: {series}");
            labels.push((label, value));
            match chars.next() {
                Some(',') => {}
                Some('}') if chars.next().is_none() => return (name, labels),
                other => panic!("expected a comma or the end, got {other:?} in {series}"),
            }
        }
    }

    #[test]
    fn keys_are_written_as_prometheus_names_them() {
        type Labels = &'static [(&'static str, &'static str)];
        let cases: [(Kind, &str, Labels, &str); 14] = [
            (Kind::Counter, "a_total", &[], "a_total"),
            (Kind::Counter, "a:b", &[("a:b", "c")], "a:b{a_b=\"c\"}"),
            (Kind::Counter, "", &[("", "")], "_{_=\"\"}"),
            (Kind::Counter, "1a.b-\u{e9}", &[("2", "\u{e9}")], "_a_b__{_=\"\u{e9}\"}"),
            (Kind::Counter, "a", &[("q", "say \"hi\"")], "a{q=\"say \\\"hi\\\"\"}"),
            (Kind::Counter, "a", &[("n", "1\n2")], "a{n=\"1\\n2\"}"),
            (Kind::Counter, "a", &[("b", "c:\\n\\")], "a{b=\"c:\\\\n\\\\\"}"),
            (Kind::Counter, "a", &[("z", "},{=\""), ("b", ",")], "a{b=\",\",z=\"},{=\\\"\"}"),
            (Kind::Counter, "a", &[("b", "first"), ("b", "second")], "a{b=\"first\"}"),
            (Kind::Counter, "a", &[("le", "1"), ("worker", "2")], "a{le=\"1\",worker=\"2\"}"),
            (Kind::Gauge, "g", &[], "g{worker=\"4\"}"),
            (Kind::Gauge, "g", &[("z", "1"), ("a", "2")], "g{a=\"2\",worker=\"4\",z=\"1\"}"),
            (Kind::Gauge, "g", &[("worker", "mine")], "g{exported_worker=\"mine\",worker=\"4\"}"),
            (Kind::Histogram, "h", &[("le", "1"), ("worker", "2")], "h{exported_le=\"1\",worker=\"2\"}"),
        ];
        for (kind, name, labels, expected) in cases {
            let key = key(kind, name, labels.iter().copied(), "4");
            assert_eq!(key, expected);
            assert!(split(&key, kind).is_some(), "{key}");
            parse(&key);
        }
    }

    #[test]
    fn other_keys_are_not_shown() {
        let cases = [
            "",
            "1a",
            "a b",
            "a\n",
            "a 1\nb",
            "\u{e9}",
            "a{",
            "a}",
            "a{}",
            "{b=\"c\"}",
            "a{b}",
            "a{b=}",
            "a{b=\"}",
            "a{b=\"c}",
            "a{b=\"c\"",
            "a{b=\"c\",}",
            "a{,b=\"c\"}",
            "a{b=\"c\"d=\"e\"}",
            "a{b=\"c\"} 1\nd{e=\"f\"}",
            "a{b=\"c\nd\"}",
            "a{b=\"\\\"}",
            "a{b=\"\\t\"}",
            "a{b:c=\"d\"}",
            "a{1=\"d\"}",
            "a{=\"d\"}",
            "a{b=\"c\",b=\"c\"}",
            "a{b=\"c\",a=\"c\"}",
            "a{le=\"1\"}",
        ];
        let table = Table::new(zone(2000)).unwrap();
        for key in cases {
            assert_eq!(split(key, Kind::Histogram), None, "{key}");
            table.register(Kind::Histogram, key, &[1.0]);
        }
        assert_eq!(table.text(&BTreeMap::new()).lines().count(), 3);
    }

    #[test]
    fn entries_of_one_key_are_added_up() {
        let zone = zone(200);
        let table = Table::new(zone).unwrap();
        let value = |kind, key, bounds: &[f64], values: &[u64]| {
            for (word, value) in table.register(kind, key, bounds).unwrap().iter().zip(values) {
                word.store(*value, Ordering::Relaxed);
            }
        };
        value(Kind::Counter, "a_total", &[], &[3]);
        value(Kind::Gauge, "g{worker=\"1\"}", &[], &[2.5_f64.to_bits()]);
        value(Kind::Histogram, "h", &[1.0, 2.0], &[0.5_f64.to_bits(), 1, 2, 3]);
        let end = zone[1].load(Ordering::Relaxed);
        // The same entries once more, as no process writes them.
        let end = usize::try_from(end).unwrap();
        for at in 3..3 + end {
            zone[at + end].store(zone[at].load(Ordering::Relaxed), Ordering::Relaxed);
        }
        let text = table.text(&BTreeMap::new());
        check(&text);
        let lines = [
            "# TYPE a_total counter",
            "a_total 6",
            "# TYPE g gauge",
            "g{worker=\"1\"} 2.5",
            "# TYPE h histogram",
            "h_bucket{le=\"1\"} 2",
            "h_bucket{le=\"2\"} 6",
            "h_bucket{le=\"+Inf\"} 12",
            "h_sum 1",
            "h_count 12",
        ];
        assert_eq!(text.lines().take(lines.len()).collect::<Vec<_>>(), lines);
    }

    #[test]
    fn families_are_whole_and_have_one_kind() {
        let table = Table::new(zone(300)).unwrap();
        let all = [
            (Kind::Counter, "b{x=\"1\"}"),
            (Kind::Counter, "a"),
            (Kind::Gauge, "b{worker=\"1\"}"),
            (Kind::Counter, "b_c"),
            (Kind::Counter, "b"),
            (Kind::Gauge, LEFT_OUT),
        ];
        for (kind, key) in all {
            table.register(kind, key, &[]).unwrap();
        }
        let help = [("b", "B"), ("none", "N"), (LEFT_OUT, "ours\\\n\"")]
            .map(|(name, help)| (name.to_owned(), help.to_owned()));
        let text = table.text(&BTreeMap::from(help));
        check(&text);
        let expected =
            "# TYPE a counter\na 0\n# HELP b B\n# TYPE b counter\nb 0\nb{x=\"1\"} 0\n# TYPE b_c counter\nb_c 0\n";
        let own = format!("# HELP {LEFT_OUT} ours\\\\\\n\"\n# TYPE {LEFT_OUT} counter\n{LEFT_OUT} 0\n");
        assert_eq!(text, format!("{expected}{own}"));
    }

    #[test]
    fn counts_that_overflow_stay_in_order() {
        let table = Table::new(zone(100)).unwrap();
        for word in table.register(Kind::Histogram, "h", &[1.0, 2.0]).unwrap() {
            word.store(u64::MAX - 1, Ordering::Relaxed);
        }
        check(&table.text(&BTreeMap::new()));
    }

    proptest! {
        #[test]
        fn any_metric_is_written_well(
            name in ".{0,6}",
            labels in prop::collection::vec(("[a-c\\-\u{e9}1_]{0,3}|le|worker", "[\"\\\\\n,={}a\u{e9}]{0,8}"), 0..5),
            help in ".{0,8}|[\\\\\n\"]{0,4}",
            kind in prop::sample::select(vec![Kind::Counter, Kind::Gauge, Kind::Histogram]),
        ) {
            let table = Table::new(zone(200)).unwrap();
            let pairs = labels.iter().map(|(label, value)| (label.as_str(), value.as_str()));
            let key = key(kind, &name, pairs, "12");
            let bounds: &[f64] = if kind == Kind::Histogram { &[0.5, 2.0] } else { &[] };
            table.register(kind, &key, bounds).unwrap();
            let text = table.text(&BTreeMap::from([(super::name(&name, true), help)]));
            check(&text);
            prop_assert!(text.matches("# TYPE").count() == 2, "{}", text);
            // Values are read as they were given.
            let (_, read) = parse(&key);
            for (label, value) in &read {
                prop_assert!(label == "worker" || labels.iter().any(|(_, given)| given == value), "{}", key);
            }
        }

        #[test]
        fn a_key_that_passes_is_well_formed(key in "[ab1]{0,2}\\{?([ab]=\"[a\\\\n\"\n]{0,3}\",?){0,2}\\}?") {
            if split(&key, Kind::Counter).is_some() {
                parse(&key);
            }
        }
    }
}
