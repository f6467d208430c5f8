//! The workflows of the repository's host: thin, so that everything that they do can be done on any machine.
//!
//! A step that runs a command installs a toolchain or calls `cargo xtask`. actionlint reads the rest.

use std::fs;

use clap::CommandFactory;

use crate::{
    Arguments, Result, kept,
    setup::{self, unless_installed},
    shell::{self, program, run as run_command},
};

const PATTERN: &str = ".github/workflows/*.yml";

const TOOLCHAIN: &str = "rustup toolchain install ";

const LINTER: &str = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";

/// Fails with a line for each step that does more than it may.
pub(crate) fn check() -> Result {
    let mut faults = Vec::new();
    for file in shell::files([PATTERN])? {
        let text = fs::read_to_string(shell::root().join(&file)).map_err(|error| format!("{file}: {error}"))?;
        faults.extend(faults_of(&text).into_iter().map(|fault| format!("{file}:{fault}")));
    }
    kept("thin workflows", &faults)
}

/// Installs actionlint, and has it read the workflows.
pub(crate) fn lint() -> Result {
    setup::go()?;
    let folder = shell::root().join("target/actionlint");
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    unless_installed("actionlint", &folder.join(".version"), LINTER, || {
        println!("setup: installing {LINTER} with go");
        run_command(program("go").args(["install", LINTER]).env("GOBIN", &folder))
    })?;
    // Its helpers for scripts have nothing to read: no step has a script.
    run_command(program(folder.join("actionlint")).args(["-shellcheck=", "-pyflakes="]).args(shell::files([PATTERN])?))
}

/// Returns a line for each fault in a workflow.
fn faults_of(workflow: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, line) in (1..).zip(workflow.lines()) {
        let line = line.trim().trim_start_matches("- ");
        if let Some(command) = line.strip_prefix("run:").map(str::trim)
            && !is_thin(command)
        {
            faults.push(format!(
                "{number}: expected `cargo xtask …` or `{TOOLCHAIN}…`, got `{command}`: move it into xtask"
            ));
        }
        if line.starts_with("uses:") && !line.contains('@') {
            faults.push(format!("{number}: expected an action with its version, got `{line}`"));
        }
    }
    if !workflow.lines().any(|line| line == "permissions: {}") {
        faults.push("1: expected `permissions: {}` at the top, so that each job names its own, got none".to_owned());
    }
    faults
}

fn is_thin(command: &str) -> bool {
    if command.contains(['|', '&', ';', '>', '`', '$']) {
        return false;
    }
    let own = command.strip_prefix("cargo xtask ").and_then(|rest| rest.split_whitespace().next());
    command.starts_with(TOOLCHAIN) || own.is_some_and(|name| Arguments::command().find_subcommand(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workflows_are_thin() {
        check().unwrap();
    }

    #[test]
    fn a_step_that_does_more_is_told() {
        for (step, is_thin) in [
            ("      - run: cargo xtask test --keep-going", true),
            ("      - run: rustup toolchain install stable --profile minimal", true),
            ("        run: cargo xtask chekc", false),
            ("        run: cargo test", false),
            ("      - run: |", false),
            ("      - run: cargo xtask check && curl example.com", false),
            ("      - uses: actions/checkout@v4", true),
            ("      - uses: actions/checkout", false),
        ] {
            assert_eq!(faults_of(&format!("permissions: {{}}\n{step}\n")).is_empty(), is_thin, "{step}");
        }
        assert_eq!(faults_of("jobs:\n").len(), 1);
    }
}
