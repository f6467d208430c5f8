//! The recorder through which the crate `metrics` counts in the table.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use metrics::{Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, SharedString, Unit};

use super::{Kind, table::Table, text};

/// The number of handles of a kind that a process keeps at most: more are looked up in the table each time.
const KEPT: usize = 4096;

/// The recorder of one worker.
pub(crate) struct Recorder {
    table: Table,
    worker: String,
    buckets: Arc<[f64]>,
    help: Mutex<BTreeMap<String, String>>,
    counters: Kept<Counter>,
    gauges: Kept<Gauge>,
    histograms: Kept<Histogram>,
}

impl Recorder {
    /// Makes the recorder of the worker with this number. The buckets are those of all histograms.
    pub(crate) fn new(table: Table, worker: usize, buckets: &'static [f64]) -> Self {
        // Zero is added since it turns -0 into 0, of which the two are one bound.
        let mut buckets: Vec<f64> = buckets.iter().filter(|bound| bound.is_finite()).map(|bound| bound + 0.0).collect();
        buckets.sort_by(f64::total_cmp);
        buckets.dedup();
        Self {
            table,
            worker: worker.to_string(),
            buckets: buckets.into(),
            help: Mutex::default(),
            counters: Kept::default(),
            gauges: Kept::default(),
            histograms: Kept::default(),
        }
    }

    /// Writes the metrics of all workers in the text format of Prometheus, with the help texts of this process.
    pub(crate) fn text(&self) -> String {
        self.table.text(&self.help.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn describe(&self, name: &KeyName, help: &SharedString) {
        let name = text::name(name.as_str(), true);
        self.help.lock().unwrap_or_else(PoisonError::into_inner).insert(name, help.to_string());
    }

    fn words(&self, kind: Kind, key: &Key) -> Option<&'static [AtomicU64]> {
        let labels = key.labels().map(|label| (label.key(), label.value()));
        let bounds = if kind == Kind::Histogram { &*self.buckets } else { &[] };
        self.table.register(kind, &text::key(kind, key.name(), labels, &self.worker), bounds)
    }
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(&name, &help);
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(&name, &help);
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(&name, &help);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.counters.get(key, || match self.words(Kind::Counter, key) {
            Some([count]) => Counter::from_arc(Arc::new(Count(count))),
            _ => Counter::noop(),
        })
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.gauges.get(key, || match self.words(Kind::Gauge, key) {
            Some([value]) => Gauge::from_arc(Arc::new(Float(value))),
            _ => Gauge::noop(),
        })
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.histograms.get(key, || match self.words(Kind::Histogram, key) {
            Some([sum, counts @ ..]) => {
                Histogram::from_arc(Arc::new(Distribution { sum: Float(sum), counts, bounds: self.buckets.clone() }))
            }
            _ => Histogram::noop(),
        })
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("worker", &self.worker).finish_non_exhaustive()
    }
}

/// Handles that this process has asked for, no-ops among them: a metric that is asked for with each request takes no
/// allocation and no walk through the table, and one that is left out counts once.
struct Kept<T>(RwLock<HashMap<Key, T>>);

impl<T: Clone> Kept<T> {
    fn get(&self, key: &Key, make: impl FnOnce() -> T) -> T {
        if let Some(handle) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return handle.clone();
        }
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = kept.get(key) {
            return handle.clone();
        }
        let handle = make();
        if kept.len() < KEPT {
            kept.insert(key.to_retained(), handle.clone());
        }
        handle
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

/// A counter in the table.
struct Count(&'static AtomicU64);

impl CounterFn for Count {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Ordering::Relaxed);
    }

    fn absolute(&self, value: u64) {
        self.0.fetch_max(value, Ordering::Relaxed);
    }
}

/// A floating-point number in the table.
struct Float(&'static AtomicU64);

impl GaugeFn for Float {
    fn increment(&self, value: f64) {
        let add = |bits| Some((f64::from_bits(bits) + value).to_bits());
        // Never fails: `add` always returns a value.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    fn decrement(&self, value: f64) {
        self.increment(-value);
    }

    fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }
}

/// A histogram in the table. Its count is the sum of its buckets, so that a scrape never sees the two disagree.
struct Distribution {
    sum: Float,
    counts: &'static [AtomicU64],
    bounds: Arc<[f64]>,
}

impl HistogramFn for Distribution {
    fn record(&self, value: f64) {
        self.record_many(value, 1);
    }

    /// Records a value. One that is not finite is left out: it would spoil the sum for good.
    fn record_many(&self, value: f64, count: usize) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        let (Some(bucket), Ok(times), true) = (self.counts.get(place), u64::try_from(count), value.is_finite()) else {
            return;
        };
        bucket.fetch_add(times, Ordering::Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "a sum is a float")]
        self.sum.increment(value * count as f64);
    }
}

#[cfg(test)]
mod tests {
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
        expected.extend([
            format!("h_count {all}"),
            format!("h_sum {}", all / 2),
            format!("h_bucket{{le=\"1\"}} {all}"),
        ]);
        for line in expected {
            assert!(text.lines().any(|found| found == line), "{line}\nin\n{text}");
        }
        assert!(text.ends_with(&format!("{} 0\n", text::LEFT_OUT)), "{text}");
    }
}
