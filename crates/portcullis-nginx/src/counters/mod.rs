//! Metrics in memory that the worker processes share, so that each of them can answer for all.
//!
//! - [`Table`] keeps numbers under keys, in a zone of words that outlives workers. It takes no lock, and a process may be
//!   killed at any instruction.
//! - [`Recorder`] is what the crate `metrics` counts with: it finds the words of a metric and hands them out.
//! - `text` writes keys as Prometheus names them, and the whole table in its text format.
//!
//! Numbers go on after a reload and after the death of a worker. Nothing read from the zone is trusted: damaged entries are
//! left out.
mod recorder;
mod table;
mod text;

use std::sync::OnceLock;

use portcullis_gateway::door::{BUCKETS, describe};

use self::{recorder::Recorder, table::Table};
use crate::nginx;

/// The recorder of the process.
static RECORDER: OnceLock<Recorder> = OnceLock::new();

/// Has the metrics of the process counted in the shared memory; `worker` is the number of the worker.
pub(crate) fn install(worker: usize) {
    let Some(table) = nginx::metrics().and_then(Table::new) else {
        nginx::write(
            nginx::Level::Error,
            "the shared memory for metrics cannot be used: nothing is counted".to_owned(),
        );
        return;
    };
    let recorder = RECORDER.get_or_init(|| Recorder::new(table, worker, &BUCKETS));
    // In a process that is both master and worker it is there already.
    let _ = metrics::set_global_recorder(recorder);
    describe();
}

/// Returns the metrics of all workers in the text format of Prometheus.
pub(crate) fn text() -> String {
    RECORDER.get().map(Recorder::text).unwrap_or_default()
}

/// The kind of a metric, as the table stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A count that only grows.
    Counter,
    /// A value of one worker that rises and falls.
    Gauge,
    /// The distribution of values, in buckets.
    Histogram,
}

impl Kind {
    /// Returns the name in the text format.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }

    /// Returns the label that the table or the text format writes itself.
    pub(crate) fn own_label(self) -> Option<&'static str> {
        match self {
            Self::Counter => None,
            Self::Gauge => Some("worker"),
            Self::Histogram => Some("le"),
        }
    }
}

/// Makes a zone of zeroed words that lives as long as the test program.
#[cfg(test)]
fn zone(words: usize) -> &'static [std::sync::atomic::AtomicU64] {
    (0..words).map(|_| 0.into()).collect::<Vec<_>>().leak()
}
