//! The rows of a report: a check, and the lines beneath a failed one.

use anstyle::Style;

use super::{FAINT, styled, visible, wrapped};

/// The column of a row's text.
const TEXT: usize = 28;

/// The width of the lines beneath a row.
const WIDTH: usize = 88;

/// Returns a row: its mark, its title and its text; a title in a style is a mistake's.
pub(crate) fn row(mark: (&str, Style), title: &str, style: Option<Style>, text: &str) -> String {
    let title = format!("{title:<width$}", width = TEXT - 4);
    let title = style.map_or_else(|| title.clone(), |style| styled(style, &title));
    format!("{} {title}  {text}", styled(mark.1, mark.0)).trim_end().to_owned()
}

/// Returns the lines beneath a row: a name, and a text that is made safe; none for an empty text.
pub(crate) fn beneath(name: &str, text: Option<&str>) -> Vec<String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Vec::new() };
    let lines = wrapped(&visible(text), WIDTH).into_iter().enumerate();
    let told = lines.map(|(row, line)| {
        let name = if row == 0 { styled(FAINT, &format!("{name:<10}")) } else { " ".repeat(10) };
        format!("{}{name}{line}", " ".repeat(4))
    });
    told.collect()
}
