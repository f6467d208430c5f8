//! The figures that benchmarks print, and the measurement of time.
//!
//! A benchmark prints one [`Figure`] a line, as JSON; the runner makes tables and plots of them.

mod heap;
mod ready;

pub use heap::{CountingHeap, Heap, heap_of};
pub use ready::ready;

use std::time::Instant;

use serde::{Deserialize, Serialize};

/// One measured number and its cell in a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The table: `stages`, `algorithms`, `http same token`, …
    pub table: String,
    /// The row of the table.
    pub row: String,
    /// The column of the table.
    pub column: String,
    /// `ns`, `req/s`, `bytes`, `allocations`, `fetches`, …
    pub unit: String,
    /// The median of all windows.
    pub median: f64,
    /// The least of all windows.
    pub low: f64,
    /// The most of all windows.
    pub high: f64,
    /// All windows in the order of the rounds; not printed.
    #[serde(skip)]
    pub windows: Vec<f64>,
}

impl Figure {
    /// The figure of these windows; zero for no windows.
    #[must_use]
    pub fn of(table: &str, row: &str, column: &str, unit: &str, windows: Vec<f64>) -> Self {
        let mut sorted = windows.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
        Self {
            table: table.to_owned(),
            row: row.to_owned(),
            column: column.to_owned(),
            unit: unit.to_owned(),
            median: at(sorted.len() / 2),
            low: at(0),
            high: at(sorted.len().saturating_sub(1)),
            windows,
        }
    }

    /// A counted number, without a range.
    #[must_use]
    pub fn count(table: &str, row: &str, column: &str, unit: &str, value: f64) -> Self {
        Self::of(table, row, column, unit, vec![value])
    }

    /// Prints the figure as a line of JSON.
    pub fn print(&self) {
        println!("{}", serde_json::to_string(self).expect("a figure is plain data"));
    }
}

/// A measured piece of work and its name.
pub type Contender<'a> = (&'a str, Box<dyn FnMut() + 'a>);

/// Nanoseconds per call of each contender, one list of windows each.
///
/// The contenders take turns, window by window, so that a machine that slows down slows all of them;
/// every second round they go in the other order.
pub fn interleaved(contenders: &mut [Contender<'_>], rounds: usize, window_ns: u64) -> Vec<Vec<f64>> {
    let iterations: Vec<u32> = contenders.iter_mut().map(|(_, run)| most_calls_in(window_ns, run)).collect();
    let mut windows = vec![Vec::with_capacity(rounds); contenders.len()];
    for round in 0..rounds {
        let mut order: Vec<usize> = (0..contenders.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let run = &mut contenders[index].1;
            let started = Instant::now();
            for _ in 0..iterations[index] {
                run();
            }
            windows[index].push(started.elapsed().as_nanos() as f64 / f64::from(iterations[index]));
        }
    }
    windows
}

/// The number of calls that fill a window on an idle machine; also warms up.
fn most_calls_in(window_ns: u64, run: &mut impl FnMut()) -> u32 {
    let tries = (0..3).map(|_| calls_in(window_ns, run));
    tries.max().unwrap_or(1)
}

fn calls_in(window_ns: u64, run: &mut impl FnMut()) -> u32 {
    let mut calls = 1_u32;
    loop {
        let started = Instant::now();
        for _ in 0..calls {
            run();
        }
        let took = started.elapsed().as_nanos() as u64;
        if took >= window_ns / 4 {
            let wanted = u64::from(calls) * window_ns / took.max(1);
            return u32::try_from(wanted).unwrap_or(u32::MAX).max(1);
        }
        calls = calls.saturating_mul(2);
    }
}
