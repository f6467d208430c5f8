//! All figures, as tables.

use figures::Figure;

use super::{numbers::cell, plots::References};
use crate::{
    gateway::HALF,
    http::EXPRESS_PACED,
    results::{Results, distinct},
};

/// A table of a page: its name, and the text below its heading.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    body: String,
}

/// All tables, in the order of measurement.
pub(super) fn all(results: &Results, plots: &References) -> Vec<Table> {
    let table = |name: &str| Table { name: name.to_owned(), body: body(name, results, plots) };
    results.tables().into_iter().map(table).collect()
}

impl Table {
    /// The table with its heading, which does not repeat the name of its section.
    pub(super) fn under(&self, section: &str) -> String {
        format!("### {}\n\n{}", heading(&self.name, section), self.body)
    }
}

fn body(name: &str, results: &Results, plots: &References) -> String {
    let figures = results.table(name);
    let noted = results.remarks.iter().filter(|(table, _)| table == name).map(|(_, sentence)| sentence.clone());
    let is_paced = name == HALF || EXPRESS_PACED.contains(&name);
    // At a fixed pace a server may be idle at times.
    let idle = if is_paced { Vec::new() } else { idle(&figures) };
    let plots = plots.get(name).cloned().unwrap_or_default();
    [plots, vec![grid(&figures)], idle, noted.collect()].concat().join("\n\n")
}

fn grid(figures: &[&Figure]) -> String {
    let rows = distinct(figures.iter().map(|figure| figure.row.as_str()));
    let columns = distinct(figures.iter().map(|figure| figure.column.as_str()));
    let head = format!("|  | {} |\n|---|{}", columns.join(" | "), "---:|".repeat(columns.len()));
    let body = rows.iter().map(|row| {
        let cells = columns.iter().map(|column| {
            let figure = figures.iter().find(|figure| figure.row == *row && figure.column == *column);
            figure.map_or_else(String::new, |figure| cell(figure))
        });
        format!("| {row} | {} |", cells.collect::<Vec<_>>().join(" | "))
    });
    let body: Vec<_> = body.collect();
    format!("{head}\n{}", body.join("\n"))
}

/// Names the servers that did not use their whole core and so were not the bottleneck.
fn idle(figures: &[&Figure]) -> Vec<String> {
    let idle = figures.iter().filter(|figure| figure.column == "CPU" && figure.median < 90.0);
    let idle: Vec<_> = idle.map(|figure| format!("{} ({:.0} %)", figure.row, figure.median)).collect();
    if idle.is_empty() {
        return Vec::new();
    }
    let reason = "so that the client, or something else on the machine, limited the figure";
    vec![format!("Not busy for the whole window, {reason}: {}.", idle.join(", "))]
}

fn heading(name: &str, section: &str) -> String {
    let rest = name.strip_prefix(section).and_then(|rest| rest.strip_prefix(": "));
    let mut letters = rest.unwrap_or(name).chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_begin_with_a_capital_and_repeat_nothing() {
        assert_eq!(heading("http: same token", "http"), "Same token");
        assert_eq!(heading("whole verification", "whole verification"), "Whole verification");
        assert_eq!(heading("growth: keys", ""), "Growth: keys");
    }
}
