//! What was measured, and what could not be.

use std::{fs, path::Path};

use figures::Figure;
use harness::Result;
use serde::{Deserialize, Serialize};

/// What was measured, and what could not be.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Results {
    /// In the order in which they came.
    pub(crate) figures: Vec<Figure>,
    /// What failed, and why.
    pub(crate) failed: Vec<String>,
    /// What is to be known of a table: its name, and a sentence.
    pub(crate) remarks: Vec<(String, String)>,
}

impl Results {
    /// What an earlier run kept.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).map_err(|_| "there are no results of an earlier run".to_owned())?;
        serde_json::from_str(&text).map_err(|error| format!("the results of the earlier run are broken: {error}"))
    }

    /// Keeps them for a later report.
    pub(crate) fn write(&self, file: &Path) -> Result {
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
    }

    /// Takes a figure.
    pub(crate) fn add(&mut self, figure: Figure) {
        self.figures.push(figure);
    }

    /// Takes note of something that could not be measured.
    pub(crate) fn fail(&mut self, what: String) {
        eprintln!("bench: {what}");
        self.failed.push(what);
    }

    /// Takes note of something that is to be known of a table.
    pub(crate) fn remark(&mut self, table: &str, sentence: String) {
        self.remarks.push((table.to_owned(), sentence));
    }

    /// One figure.
    pub(crate) fn get(&self, table: &str, row: &str, column: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.table == table && figure.row == row && figure.column == column)
    }

    /// The names of all tables, in the order in which they came.
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

/// Each name once, where it came first.
pub(crate) fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut distinct = Vec::new();
    for name in names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    distinct
}
