//! Plots, as SVG that is readable on light and on dark pages.

mod bars;
mod lines;
mod style;

use std::{collections::BTreeMap, fs, path::Path};

use figures::Figure;
use harness::Result;

use self::style::slug;
use crate::{
    gateway::{ENVOY, EXT_AUTHZ, FORWARD_AUTH, NGINX, NGINX_OWN},
    http::{DELAY, EXPRESS_PACED, REQUESTS},
    results::{Results, distinct},
};

/// The plots of each table, as lines of Markdown.
pub(super) type References = BTreeMap<String, Vec<String>>;

struct Plot<'a> {
    table: &'a str,
    title: String,
    figures: Vec<&'a Figure>,
    draw: fn(&str, &[&Figure]) -> Result<String>,
}

/// Writes all plots into a folder, in place of earlier ones.
pub(super) fn write(folder: &Path, results: &Results) -> Result {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    all(results).iter().try_for_each(|plot| {
        let file = folder.join(plot.file_name());
        let svg = (plot.draw)(&plot.title, &plot.figures)?;
        fs::write(&file, svg).map_err(|error| format!("{}: {error}", file.display()))
    })
}

/// The Markdown that shows the plots of a folder beside the page.
pub(super) fn references(folder: &str, results: &Results) -> References {
    let mut references = References::new();
    for plot in all(results) {
        let line = format!("![{}]({folder}/{})", plot.title, plot.file_name());
        references.entry(plot.table.to_owned()).or_default().push(line);
    }
    references
}

fn all(results: &Results) -> Vec<Plot<'_>> {
    let plots = results.tables().into_iter().map(|table| plots_of(table, results.table(table)));
    plots.flatten().collect()
}

fn plots_of<'a>(table: &'a str, figures: Vec<&'a Figure>) -> Vec<Plot<'a>> {
    match kind(table) {
        Some(Kind::Lines) => vec![Plot { table, title: table.to_owned(), figures, draw: lines::draw }],
        Some(Kind::Bars(is_drawn)) => {
            let columns = distinct(figures.iter().map(|figure| figure.column.as_str()));
            let plot = |column| {
                let figures = figures.iter().copied().filter(|figure| figure.column == column).collect();
                Plot { table, title: format!("{table}, {column}"), figures, draw: bars::draw }
            };
            columns.into_iter().filter(|column| is_drawn(column)).map(plot).collect()
        }
        None => Vec::new(),
    }
}

impl Plot<'_> {
    fn file_name(&self) -> String {
        format!("{}.svg", slug(&self.title))
    }
}

/// The kind of plot of a table.
enum Kind {
    /// A plot for each column accepted by this function, with a bar for each row.
    Bars(fn(&str) -> bool),
    /// One plot, a line for each column, over the numbers that the rows begin with.
    Lines,
}

fn kind(table: &str) -> Option<Kind> {
    match table {
        "whole verification" => Some(Kind::Bars(|_| true)),
        _ if EXPRESS_PACED.contains(&table) => Some(Kind::Bars(|column| column == DELAY)),
        _ if table.starts_with("http") || table.starts_with("express") => Some(Kind::Bars(|column| column == REQUESTS)),
        FORWARD_AUTH | EXT_AUTHZ | ENVOY | NGINX | NGINX_OWN => Some(Kind::Bars(|column| column == REQUESTS)),
        _ if table.starts_with("growth") => Some(Kind::Lines),
        _ => None,
    }
}
