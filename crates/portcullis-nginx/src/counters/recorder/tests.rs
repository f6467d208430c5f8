use std::thread;

use metrics::{counter, describe_counter, describe_histogram, gauge, histogram, with_local_recorder};

use super::*;
use crate::counters::{text::tests::check, zone};

fn recorder(zone: &'static [AtomicU64], worker: usize) -> Recorder {
    Recorder::new(Table::new(zone).unwrap(), worker, &[0.1, 1.0])
}

#[track_caller]
fn assert_lines(recorder: &Recorder, expected: &[&str]) {
    let text = recorder.text();
    check(&text);
    let lines: Vec<_> = text.lines().filter(|line| !line.contains(text::LEFT_OUT)).collect();
    assert_eq!(lines, expected, "{text}");
}

#[test]
fn any_worker_tells_the_numbers_of_all() {
    let zone = zone(1000);
    let (one, two) = (recorder(zone, 1), recorder(zone, 2));
    for (recorder, keys) in [(&one, 3), (&two, 5)] {
        with_local_recorder(recorder, || {
            describe_counter!("refused_total", "Requests that were refused");
            describe_histogram!("wait_seconds", "Waits\nof \\ requests");
            counter!("refused_total", "code" => "expired").increment(2);
            gauge!("keys", "source" => "https://as.example.com").set(f64::from(keys));
            for value in [0.05, 0.1, 0.5, 2.0] {
                histogram!("wait_seconds").record(value);
            }
        });
    }
    with_local_recorder(&two, || counter!("refused_total", "code" => "absent").increment(1));
    let expected = [
        "# TYPE keys gauge",
        "keys{source=\"https://as.example.com\",worker=\"1\"} 3",
        "keys{source=\"https://as.example.com\",worker=\"2\"} 5",
        "# HELP refused_total Requests that were refused",
        "# TYPE refused_total counter",
        "refused_total{code=\"absent\"} 1",
        "refused_total{code=\"expired\"} 4",
        "# HELP wait_seconds Waits\\nof \\\\ requests",
        "# TYPE wait_seconds histogram",
        "wait_seconds_bucket{le=\"0.1\"} 4",
        "wait_seconds_bucket{le=\"1\"} 6",
        "wait_seconds_bucket{le=\"+Inf\"} 8",
        "wait_seconds_sum 5.3",
        "wait_seconds_count 8",
    ];
    assert_lines(&one, &expected);
    assert_lines(&two, &expected);
}

#[test]
fn numbers_go_on_in_the_next_process() {
    let zone = zone(1000);
    for life in 1..=3_u32 {
        let recorder = recorder(zone, 7);
        with_local_recorder(&recorder, || {
            counter!("a_total").increment(1);
            gauge!("g").set(f64::from(life));
            histogram!("h", "a" => "b").record(1.0);
        });
        let lines = [
            "# TYPE a_total counter".to_owned(),
            format!("a_total {life}"),
            "# TYPE g gauge".to_owned(),
            format!("g{{worker=\"7\"}} {life}"),
            "# TYPE h histogram".to_owned(),
            "h_bucket{a=\"b\",le=\"0.1\"} 0".to_owned(),
            format!("h_bucket{{a=\"b\",le=\"1\"}} {life}"),
            format!("h_bucket{{a=\"b\",le=\"+Inf\"}} {life}"),
            format!("h_sum{{a=\"b\"}} {life}"),
            format!("h_count{{a=\"b\"}} {life}"),
        ];
        assert_lines(&recorder, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn after_a_change_of_bounds_common_ones_are_told() {
    let zone = zone(1000);
    for buckets in [&[0.1, 0.5, 1.0][..], &[1.0, f64::NAN, 0.1, 3.0, 1.0, f64::INFINITY]] {
        let recorder = Recorder::new(Table::new(zone).unwrap(), 0, buckets);
        with_local_recorder(&recorder, || [0.2, 0.7, 2.0].map(|value| histogram!("h").record(value)));
    }
    let lines = [
        "# TYPE h histogram",
        "h_bucket{le=\"0.1\"} 0",
        "h_bucket{le=\"1\"} 4",
        "h_bucket{le=\"+Inf\"} 6",
        "h_sum 5.8",
        "h_count 6",
    ];
    assert_lines(&recorder(zone, 0), &lines);
}

#[test]
fn bounds_are_put_in_order() {
    let recorder = Recorder::new(
        Table::new(zone(100)).unwrap(),
        0,
        &[1.0, f64::NAN, 0.0, f64::INFINITY, -0.0, 0.5, 1.0, f64::NEG_INFINITY],
    );
    assert_eq!(*recorder.buckets, [0.0, 0.5, 1.0]);
    with_local_recorder(&recorder, || histogram!("h").record(-0.0));
    assert!(recorder.text().contains("h_bucket{le=\"0\"} 1\n"), "{}", recorder.text());
}

#[test]
fn each_operation_does_what_it_says() {
    let recorder = recorder(zone(1000), 0);
    with_local_recorder(&recorder, || {
        for value in [5, 9, 7] {
            counter!("absolute_total").absolute(value);
        }
        let gauge = gauge!("g");
        gauge.set(2.5);
        gauge.increment(2.0);
        gauge.decrement(0.5);
        for (name, value) in [("inf", f64::INFINITY), ("less", f64::NEG_INFINITY), ("nan", f64::NAN)] {
            gauge!(name).set(value);
            // A histogram leaves these out.
            histogram!("h").record(value);
        }
        histogram!("h").record_many(0.5, 3);
        histogram!("h").record_many(0.5, 0);
        histogram!("h").record(-1.0);
    });
    let lines = [
        "# TYPE absolute_total counter",
        "absolute_total 9",
        "# TYPE g gauge",
        "g{worker=\"0\"} 4",
        "# TYPE h histogram",
        "h_bucket{le=\"0.1\"} 1",
        "h_bucket{le=\"1\"} 4",
        "h_bucket{le=\"+Inf\"} 4",
        "h_sum 0.5",
        "h_count 4",
        "# TYPE inf gauge",
        "inf{worker=\"0\"} +Inf",
        "# TYPE less gauge",
        "less{worker=\"0\"} -Inf",
        "# TYPE nan gauge",
        "nan{worker=\"0\"} NaN",
    ];
    assert_lines(&recorder, &lines);
}

#[test]
fn a_full_table_leaves_metrics_out_and_says_so_once_for_each() {
    let recorder = recorder(zone(3 + 5), 0);
    with_local_recorder(&recorder, || {
        for _ in 0..3 {
            counter!("fits").increment(1);
            counter!("a_total").increment(1);
            gauge!("b").set(1.0);
            histogram!("c").record(1.0);
        }
    });
    let text = recorder.text();
    check(&text);
    let lines: Vec<_> = text.lines().collect();
    let name = text::LEFT_OUT;
    assert_eq!(lines[..2], ["# TYPE fits counter", "fits 3"]);
    assert!(lines[2].starts_with(&format!("# HELP {name} ")), "{text}");
    assert_eq!(lines[3..], [format!("# TYPE {name} counter"), format!("{name} 3")]);
}

#[test]
fn handles_are_kept_up_to_a_bound() {
    let (kept, made) = (Kept::default(), AtomicU64::new(0));
    for _ in 0..2 {
        for key in 0..KEPT + 10 {
            let make = || made.fetch_add(1, Ordering::Relaxed);
            kept.get(&Key::from_parts("a_total", &[("key", key.to_string())]), make);
        }
    }
    assert_eq!(kept.0.read().unwrap().len(), KEPT);
    assert_eq!(made.load(Ordering::Relaxed), KEPT as u64 + 20, "those beyond the bound are made each time");
}

#[test]
fn workers_that_count_at_once_lose_nothing() {
    const ROUNDS: u32 = 2000;
    let zone = zone(2000);
    thread::scope(|scope| {
        for worker in 0..8 {
            scope.spawn(move || {
                let recorder = recorder(zone, worker);
                with_local_recorder(&recorder, || {
                    for round in 0..ROUNDS {
                        counter!("a_total", "key" => (round % 10).to_string()).increment(1);
                        histogram!("h").record(0.5);
                        gauge!("g").increment(1.0);
                    }
                });
            });
        }
    });
    let reader = recorder(zone, 99);
    let text = reader.text();
    check(&text);
    let all = 8 * ROUNDS;
    let mut expected: Vec<String> = (0..10).map(|key| format!("a_total{{key=\"{key}\"}} {}", all / 10)).collect();
    expected.extend((0..8).map(|worker| format!("g{{worker=\"{worker}\"}} {ROUNDS}")));
    expected.extend([format!("h_count {all}"), format!("h_sum {}", all / 2), format!("h_bucket{{le=\"1\"}} {all}")]);
    for line in expected {
        assert!(text.lines().any(|found| found == line), "{line}\nin\n{text}");
    }
    assert!(text.ends_with(&format!("{} 0\n", text::LEFT_OUT)), "{text}");
}
