//! The output of commands: colours and a spinner only on a terminal, and no foreign characters that steer it.

mod command;
mod foreign;
mod row;
mod spinner;

pub(crate) use command::{is_plain_url, quoted};
pub(crate) use foreign::{coloured, escaped, is_dangerous, safe, visible};
pub(crate) use row::{beneath, row};
pub(crate) use spinner::waiting;

use std::io::{IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use miette::{GraphicalReportHandler, GraphicalTheme, Report};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const DOUBT: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const HEADING: Style = Style::new().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();

/// Returns a text in a style.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Prints a result; colours only where they are shown (a terminal, no `NO_COLOR`, `TERM` not `dumb`).
pub(crate) fn print(text: &str) {
    // A reader that has enough may close the pipe: that is no fault.
    drop(anstream::stdout().lock().write_all(text.as_bytes()));
}

/// Prints an error to stderr: in colours on a terminal, with no characters that steer it; elsewhere each line as a whole, so that a URL can be
/// copied.
pub(crate) fn fault(report: &Report) {
    let plain = rendered(report);
    // Foreign text could not be told apart from the colours, so it is made safe in the plain form.
    let is_shown = std::io::stderr().is_terminal();
    let text =
        if is_shown && plain == safe(&plain) { without_empty_headings(&format!("{report:?}")) } else { safe(&plain) };
    remark(&text);
}

/// Returns the report of an error, without colours and without characters that steer a terminal.
pub(crate) fn told(report: &Report) -> String {
    safe(&rendered(report))
}

fn rendered(report: &Report) -> String {
    let mut text = String::new();
    let handler =
        GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_links(false).with_wrap_lines(false);
    match handler.render_report(&mut text, report.as_ref()) {
        Ok(()) => without_empty_headings(&text),
        Err(_) => report.to_string(),
    }
}

/// Takes out the line `Error:` that miette writes above each of several mistakes. No text of ours is a line by itself.
fn without_empty_headings(text: &str) -> String {
    text.replace("\nError: \n", "\n")
}

/// Prints a remark to stderr.
pub(crate) fn remark(text: &str) {
    drop(anstream::stderr().lock().write_all(format!("{text}\n").as_bytes()));
}

/// Breaks a text at spaces into lines of `width` characters; a longer word stays whole.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_broken_at_spaces() {
        assert_eq!(wrapped("a bc def", 4), ["a bc", "def"]);
        assert_eq!(wrapped("abcdefgh i", 4), ["abcdefgh", "i"]);
        assert_eq!(wrapped("", 4), [""]);
    }
}
