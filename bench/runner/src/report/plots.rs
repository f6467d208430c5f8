//! Plots, as SVG that is readable on light and on dark pages.

mod bars;
mod lines;
mod style;

use std::{collections::BTreeMap, fs, path::Path};

use figures::Figure;
use harness::Result;

use self::style::slug;
use crate::{
    gateway::{ENVOY, EXT_AUTHZ, FORWARD_AUTH},
    http::{DELAY, EXPRESS_PACED, REQUESTS},
    results::{Results, distinct},
};

/// The plots that were written, by table, as lines of Markdown.
#[derive(Debug, Default)]
pub(crate) struct Plots(BTreeMap<String, Vec<String>>);

impl Plots {
    /// Those of a table.
    pub(crate) fn of(&self, table: &str) -> Vec<String> {
        self.0.get(table).cloned().unwrap_or_default()
    }

    fn add(&mut self, table: &str, title: &str, svg: &str, folder: &Path) -> Result {
        let name = format!("{}.svg", slug(title));
        let file = folder.join(&name);
        fs::write(&file, svg).map_err(|error| format!("{}: {error}", file.display()))?;
        let lines = self.0.entry(table.to_owned()).or_default();
        let folder = folder.file_name().unwrap_or_default().to_string_lossy();
        lines.push(format!("![{title}]({folder}/{name})"));
        Ok(())
    }
}

/// Writes all plots, in place of earlier ones.
pub(crate) fn write(folder: &Path, results: &Results) -> Result<Plots> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut plots = Plots::default();
    for table in results.tables() {
        let figures = results.table(table);
        match kind(table) {
            Some(Plot::Bars(columns)) => bars_of(table, &figures, columns, &mut plots, folder)?,
            Some(Plot::Lines) => plots.add(table, table, &lines::draw(table, &figures)?, folder)?,
            None => {}
        }
    }
    Ok(plots)
}

/// How a table is drawn.
enum Plot {
    /// A plot for each column for which this holds, a bar for each row.
    Bars(fn(&str) -> bool),
    /// One plot, a line for each column, over the numbers that the rows begin with.
    Lines,
}

fn kind(table: &str) -> Option<Plot> {
    match table {
        "whole verification" => Some(Plot::Bars(|_| true)),
        _ if EXPRESS_PACED.contains(&table) => Some(Plot::Bars(|column| column == DELAY)),
        _ if table.starts_with("http") || table.starts_with("express") => Some(Plot::Bars(|column| column == REQUESTS)),
        FORWARD_AUTH | EXT_AUTHZ | ENVOY => Some(Plot::Bars(|column| column == REQUESTS)),
        _ if table.starts_with("growth") => Some(Plot::Lines),
        _ => None,
    }
}

fn bars_of(table: &str, figures: &[&Figure], drawn: fn(&str) -> bool, plots: &mut Plots, folder: &Path) -> Result {
    let columns = distinct(figures.iter().map(|figure| figure.column.as_str()));
    for column in columns.into_iter().filter(|column| drawn(column)) {
        let title = format!("{table}, {column}");
        let rows: Vec<_> = figures.iter().copied().filter(|figure| figure.column == column).collect();
        plots.add(table, &title, &bars::draw(&title, &rows)?, folder)?;
    }
    Ok(())
}
