//! How commands speak to a person: colours and a spinner on a terminal alone, and nothing foreign that steers it.

mod foreign;
mod spinner;

pub(crate) use foreign::{coloured, escaped, is_dangerous, safe, visible};
pub(crate) use spinner::waiting;

use std::io::Write;

use anstyle::{AnsiColor, Style};
use miette::{GraphicalReportHandler, GraphicalTheme, Report};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const DOUBT: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const HEADING: Style = Style::new().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();

/// A text in a style.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Writes what was asked for; colours only where they are shown (a terminal, no `NO_COLOR`, `TERM` not `dumb`).
pub(crate) fn print(text: &str) {
    // Who reads no further than he needs has closed the pipe: that is no fault.
    drop(anstream::stdout().lock().write_all(text.as_bytes()));
}

/// Writes what went wrong, to the standard error output: in colours on a terminal, and whatever is in it, nothing steers that.
pub(crate) fn fault(report: &Report) {
    let plain = rendered(report);
    // What is foreign in it would be in the coloured one as well, among what colours are made of.
    let text = if plain == safe(&plain) { format!("{report:?}") } else { safe(&plain) };
    remark(&text);
}

/// A report of a fault, without colours, and with nothing in it that steers a terminal.
pub(crate) fn told(report: &Report) -> String {
    safe(&rendered(report))
}

fn rendered(report: &Report) -> String {
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_links(false);
    match handler.render_report(&mut text, report.as_ref()) {
        Ok(()) => text,
        Err(_) => report.to_string(),
    }
}

/// Writes a remark, to the standard error output.
pub(crate) fn remark(text: &str) {
    drop(anstream::stderr().lock().write_all(format!("{text}\n").as_bytes()));
}

/// Breaks a text at spaces into lines of so many characters; a longer word stays whole.
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
