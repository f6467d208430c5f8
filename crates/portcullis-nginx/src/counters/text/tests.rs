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
    let help =
        [("b", "B"), ("none", "N"), (LEFT_OUT, "ours\\\n\"")].map(|(name, help)| (name.to_owned(), help.to_owned()));
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
