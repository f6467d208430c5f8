//! Cells of a table, measured together.

use figures::{Contender, Figure, interleaved};

use crate::effort::Effort;

/// A piece of work to repeat.
pub type Work<'a> = Box<dyn FnMut() + 'a>;

/// A cell of a table and its work.
pub struct Cell<'a> {
    pub row: String,
    pub column: &'a str,
    pub work: Work<'a>,
}

impl<'a> Cell<'a> {
    pub fn new(row: impl Into<String>, column: &'a str, work: Work<'a>) -> Self {
        Self { row: row.into(), column, work }
    }
}

/// Prints the nanoseconds of each cell's work and returns all windows of each.
pub fn time(table: &str, cells: Vec<Cell<'_>>, effort: Effort) -> Vec<Vec<f64>> {
    let (names, mut contenders): (Vec<_>, Vec<Contender<'_>>) =
        cells.into_iter().map(|Cell { row, column, work }| ((row, column), (column, work))).unzip();
    let windows = interleaved(&mut contenders, effort.rounds, effort.window_ns);
    for ((row, column), windows) in names.iter().zip(&windows) {
        Figure::of(table, row, column, "ns", windows.clone()).print();
    }
    windows
}

/// The median of an odd number of values.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}
