//! All figures, as tables.

use figures::Figure;

use super::{numbers::cell, plots::Plots, prose};
use crate::{
    gateway::HALF,
    http::EXPRESS_PACED,
    results::{Results, distinct},
};

/// A section for each kind of table.
pub(crate) fn sections(results: &Results, plots: &Plots) -> String {
    let names = results.tables();
    let sections = prose::KINDS.iter().filter_map(|kind| {
        let of_kind = names.iter().filter(|name| prose::kind_of(name).title == kind.title);
        let tables: Vec<_> = of_kind.map(|name| table(name, results, plots)).collect();
        (!tables.is_empty()).then(|| format!("## {}\n\n{}\n\n{}", kind.title, kind.text, tables.join("\n\n")))
    });
    sections.collect::<Vec<_>>().join("\n\n")
}

fn table(name: &str, results: &Results, plots: &Plots) -> String {
    let figures = results.table(name);
    let heading = format!("### {}", heading(name));
    let noted = results.remarks.iter().filter(|(table, _)| table == name).map(|(_, sentence)| sentence.clone());
    let is_paced = name == HALF || EXPRESS_PACED.contains(&name);
    // At a pace a server may well have time to spare.
    let idle = if is_paced { Vec::new() } else { idle(&figures) };
    let parts = [vec![heading], plots.of(name), vec![grid(&figures)], idle, noted.collect()];
    parts.concat().join("\n\n")
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

/// A server that did not use its core was not the bottleneck.
fn idle(figures: &[&Figure]) -> Vec<String> {
    let idle = figures.iter().filter(|figure| figure.column == "CPU" && figure.median < 90.0);
    let idle: Vec<_> = idle.map(|figure| format!("{} ({:.0} %)", figure.row, figure.median)).collect();
    if idle.is_empty() {
        return Vec::new();
    }
    let reason = "so that the client, or something else on the machine, limited the figure";
    vec![format!("Not busy for the whole window, {reason}: {}.", idle.join(", "))]
}

/// The section's heading says already what kind of table it is.
fn heading(name: &str) -> String {
    let rest = name.strip_prefix(prose::kind_of(name).prefix).and_then(|rest| rest.strip_prefix(": "));
    let mut letters = rest.unwrap_or(name).chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_begin_with_a_capital_and_repeat_nothing() {
        assert_eq!(heading("http: same token"), "Same token");
        assert_eq!(heading("whole verification"), "Whole verification");
        assert_eq!(heading("growth: keys"), "Growth: keys");
    }
}
