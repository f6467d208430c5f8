//! The look of log lines.

use std::{
    borrow::Cow,
    io::{self, IsTerminal},
};

use crate::{
    config::LogFormat,
    terminal::{coloured, escaped, safe},
};

/// The look of log lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) format: LogFormat,
    /// True if lines for people have colours.
    pub(super) colours: bool,
}

impl Look {
    /// Returns the look of lines on stderr: with colours on a terminal, unless the variable `NO_COLOR` is set.
    pub(super) fn on_stderr(format: LogFormat) -> Self {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { format, colours: io::stderr().is_terminal() && !no_colour }
    }

    /// Returns a line in a form that is safe for a terminal, even with foreign text in it: a line break in it begins no
    /// new line.
    pub(super) fn of(self, line: &[u8]) -> Cow<'_, str> {
        let line = String::from_utf8_lossy(line);
        let within = line.strip_suffix('\n').unwrap_or(&line);
        match self.format {
            _ if within.bytes().all(|byte| matches!(byte, b' '..=b'~')) => line,
            LogFormat::Json => format!("{}\n", escaped(within)).into(),
            LogFormat::Human => {
                let safe = if self.colours { coloured(within) } else { safe(within) };
                format!("{}\n", safe.replace('\n', "\n  ")).into()
            }
        }
    }

    /// Returns the line about lost lines.
    pub(super) fn of_lost_lines(self, lost: u64) -> String {
        match self.format {
            LogFormat::Human => {
                format!("WARN {lost} log lines were lost: they were logged faster than their reader took them\n")
            }
            LogFormat::Json => {
                format!("{{\"level\":\"WARN\",\"message\":\"log lines were lost\",\"lines\":{lost}}}\n")
            }
        }
    }
}
