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
mod tests;
