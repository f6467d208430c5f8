//! The figures of a run and its other data for the pages.

use std::{fmt::Display, fs, iter, path::Path};

use figures::Figure;
use harness::Result;
use serde::{Deserialize, Serialize};

use crate::{machine::Machine, plan::Plan};

/// The figures of a run and its other data for the pages.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Results {
    /// The plan of the run.
    pub(crate) plan: Plan,
    /// The machine of the run.
    pub(crate) machine: Machine,
    /// Failed measurements, with their reasons.
    pub(crate) failed: Vec<String>,
    /// Remarks on a table: its name, and a sentence.
    pub(crate) remarks: Vec<(String, String)>,
    /// All figures, in the order of measurement.
    #[serde(skip)]
    pub(crate) figures: Vec<Figure>,
}

impl Results {
    /// Reads the results of an earlier run.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let told = |error: &dyn Display| format!("{}: {error}", file.display());
        let text = fs::read_to_string(file).map_err(|error| told(&error))?;
        let mut lines = text.lines();
        let mut results: Self = serde_json::from_str(lines.next().unwrap_or_default()).map_err(|error| told(&error))?;
        results.figures =
            lines.map(serde_json::from_str).collect::<serde_json::Result<_>>().map_err(|error| told(&error))?;
        Ok(results)
    }

    /// Writes the results to a file, for later reports without measuring: a line for the run, then one for each figure.
    pub(crate) fn write(&self, file: &Path) -> Result {
        let run = serde_json::to_string(self);
        let lines = iter::once(run).chain(self.figures.iter().map(serde_json::to_string));
        let lines = lines.collect::<serde_json::Result<Vec<_>>>().map_err(|error| error.to_string())?;
        fs::write(file, lines.join("\n") + "\n").map_err(|error| format!("{}: {error}", file.display()))
    }

    /// The results of the last report in docs/; none for a scope whose first report is to come.
    #[cfg(test)]
    pub(crate) fn committed(scope: crate::report::Scope) -> Self {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        if crate::report::Scope::TO_COME.contains(&scope) {
            return Self::default();
        }
        Self::read(&docs.join(scope.name()).join(crate::report::RESULTS)).expect("docs/ has the results of each page")
    }

    /// Adds a figure.
    pub(crate) fn add(&mut self, figure: Figure) {
        self.figures.push(figure);
    }

    /// Makes one figure of the figures of all passes, for each cell.
    pub(crate) fn join_passes(&mut self) {
        self.figures = joined(std::mem::take(&mut self.figures));
    }

    /// Records a failed measurement.
    pub(crate) fn fail(&mut self, what: String) {
        eprintln!("bench: {what}");
        self.failed.push(what);
    }

    /// Records a remark on a table.
    pub(crate) fn remark(&mut self, table: &str, sentence: String) {
        self.remarks.push((table.to_owned(), sentence));
    }

    /// One figure.
    pub(crate) fn get(&self, table: &str, row: &str, column: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.table == table && figure.row == row && figure.column == column)
    }

    /// The names of all tables, in order.
    pub(crate) fn tables(&self) -> Vec<&str> {
        distinct(self.figures.iter().map(|figure| figure.table.as_str()))
    }

    /// The figures of one table.
    pub(crate) fn table(&self, name: &str) -> Vec<&Figure> {
        self.figures.iter().filter(|figure| figure.table == name).collect()
    }

    /// An error if anything could not be measured.
    pub(crate) fn failures(&self) -> Result {
        match self.failed.as_slice() {
            [] => Ok(()),
            failed => Err(format!("not measured: {}", failed.join("; "))),
        }
    }
}

/// Each name once, at its first place.
pub(crate) fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut distinct = Vec::new();
    for name in names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    distinct
}

/// One figure for each cell, with the windows of all its figures.
pub(crate) fn joined(figures: Vec<Figure>) -> Vec<Figure> {
    let mut cells: Vec<Figure> = Vec::new();
    for figure in figures {
        let is_same =
            |cell: &&mut Figure| (&cell.table, &cell.row, &cell.column) == (&figure.table, &figure.row, &figure.column);
        match cells.iter_mut().find(is_same) {
            Some(cell) => cell.windows.extend(figure.windows),
            None => cells.push(figure),
        }
    }
    let counted = |Figure { table, row, column, unit, windows, .. }| Figure::of(&table, &row, &column, &unit, windows);
    cells.into_iter().map(counted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_several_passes_become_one_for_each_cell() {
        let figure = |row: &str, windows: &[f64]| Figure::of("http", row, "c", "ns", windows.to_vec());
        let mut results = Results::default();
        for figure in [figure("a", &[3.0, 2.0]), figure("b", &[9.0]), figure("a", &[1.0])] {
            results.add(figure);
        }
        results.join_passes();
        assert_eq!(results.figures.len(), 2);
        let Figure { windows, median, low, high, .. } = &results.figures[0];
        assert_eq!((windows.as_slice(), *median, *low, *high), ([3.0, 2.0, 1.0].as_slice(), 2.0, 1.0, 3.0));
    }
}
