//! `cargo xtask test`: setup, checks, and every test of the workspace.

use std::process::Command;

use crate::{
    Result, check, guards,
    manifest::{all_features, packages},
    setup,
    shell::{cargo, run_seeing},
    steps::Steps,
};

/// Runs the command.
pub(crate) fn run(fast: bool, keep_going: bool) -> Result {
    let mut counts = Counts::default();
    let mut steps = Steps::new(keep_going);
    steps.run("setup", || {
        setup::for_checks(!fast)?;
        setup::for_tests()?;
        setup::for_guards()
    });
    check::add_to(&mut steps, fast);
    steps.run("tests", || run_tests(workspace_tests()?.arg("--no-fail-fast"), &mut counts));
    steps.run("real authorization server", || {
        let mut test = workspace_tests()?;
        test.args(["--test", "oidc_provider"]);
        test.env("PORTCULLIS_OIDC_PROVIDER", setup::oidc_provider());
        run_tests(&mut test, &mut counts)
    });
    steps.run("the demo's lines, pasted", || run_tests(workspace_tests()?.args(["--test", "curl_lines"]), &mut counts));
    steps.run("guards of speed", guards::count);
    let outcome = steps.finish();
    if counts != Counts::default() {
        println!("\n{} passed, {} failed", counts.passed, counts.failed);
    }
    outcome
}

/// Always the whole workspace with all its features, so that nothing is built twice.
fn workspace_tests() -> Result<Command> {
    let mut test = cargo(["test", "--workspace"]);
    test.arg(all_features(&packages()?));
    Ok(test)
}

/// Runs a `cargo test`; one that runs no test at all has failed.
fn run_tests(command: &mut Command, total: &mut Counts) -> Result {
    let mut counts = Counts::default();
    let outcome = run_seeing(command, |line| counts.see(line));
    total.passed += counts.passed;
    total.failed += counts.failed;
    outcome?;
    if counts.passed == 0 {
        return Err("no test ran".to_owned());
    }
    Ok(())
}

/// How many tests ran, by the lines that close each test binary.
#[derive(Debug, Default, PartialEq)]
struct Counts {
    passed: u64,
    failed: u64,
}

impl Counts {
    fn see(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else {
            return;
        };
        for part in result.split(['.', ';']) {
            match part.trim().split_once(' ') {
                Some((number, "passed")) => self.passed += number.parse().unwrap_or(0),
                Some((number, "failed")) => self.failed += number.parse().unwrap_or(0),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_counted_and_others_not() {
        let mut counts = Counts::default();
        for line in [
            "running 3 tests",
            "test a ... ok",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s",
            "7 passed",
        ] {
            counts.see(line);
        }
        assert_eq!(counts, Counts { passed: 15, failed: 2 });
    }
}
