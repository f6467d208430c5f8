//! Completions and man pages, made from the definition of the command line.

use std::{io, process::ExitCode};

use clap::Command;
use clap_complete::Shell;

use crate::terminal;

/// Prints the completions of a shell.
pub(crate) fn completions(shell: Shell, mut command: Command) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "portcullis", &mut script);
    print(&script)
}

/// Prints the man page of the program, or of one subcommand.
pub(crate) fn page(subcommand: Option<&str>, mut command: Command) -> ExitCode {
    // Gives subcommands their full names.
    command.build();
    // It would list pages that nobody writes.
    command = command.mut_subcommand("help", |help| help.hide(true));
    let asked = match subcommand {
        None => Some(command.clone()),
        Some(name) => command.find_subcommand(name).cloned(),
    };
    let Some(asked) = asked else {
        terminal::remark(&format!(
            "expected a subcommand (see `portcullis --help`), got `{}`",
            subcommand.unwrap_or_default()
        ));
        return ExitCode::from(2);
    };
    let mut page = Vec::new();
    match clap_mangen::Man::new(asked).render(&mut page) {
        Ok(()) => print(&page),
        Err(error) => failed(&error),
    }
}

fn print(text: &[u8]) -> ExitCode {
    terminal::print(&String::from_utf8_lossy(text));
    ExitCode::SUCCESS
}

fn failed(error: &io::Error) -> ExitCode {
    terminal::remark(&error.to_string());
    ExitCode::FAILURE
}
