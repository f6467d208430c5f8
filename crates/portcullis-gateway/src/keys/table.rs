//! Keys in aligned columns.

use super::Row;
use crate::terminal::{BAD, GOOD, HEADING, styled, visible};

const TITLES: [&str; 6] = ["kid", "kty", "alg", "size", "use", "thumbprint (RFC 7638)"];

/// The length at which texts are cut.
const LONGEST: usize = 64;

pub(super) fn of(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "the set has no keys\n".to_owned();
    }
    let cells: Vec<[String; 6]> = rows.iter().map(cells).collect();
    let title = |column: usize| TITLES.get(column).copied().unwrap_or_default();
    let widths: [usize; 6] = std::array::from_fn(|column| {
        let lengths = cells.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        lengths.max().unwrap_or_default().max(title(column).len())
    });
    let line = |cells: &[String; 6]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ")
    };
    let head = line(&std::array::from_fn(|column| title(column).to_owned()));
    let mut lines = vec![styled(HEADING, &format!("{head}  state"))];
    lines.extend(rows.iter().zip(&cells).map(|(row, cells)| format!("{}  {}", line(cells), state(row))));
    lines.join("\n") + "\n"
}

fn cells(row: &Row) -> [String; 6] {
    [&row.kid, &row.kty, &row.alg, &row.size, &row.purpose, &row.thumbprint].map(|cell| match cell {
        Some(text) => shortened(&visible(text)),
        None => "-".to_owned(),
    })
}

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

fn state(row: &Row) -> String {
    match &row.problem {
        Some(problem) => format!("{} {}", styled(BAD, "not used:"), visible(problem)),
        None => {
            let warnings: String = row.warnings.iter().map(|warning| format!("; {}", visible(warning))).collect();
            format!("{}{warnings}", styled(GOOD, "usable"))
        }
    }
}
