//! `cargo xtask test`: setup, checks, and every test of the workspace.

use std::process::Command;

use crate::{
    Result, bench, check, dist, docs, guards, keycloak,
    manifest::{all_features, packages},
    mcp, nginx, npm, page, proxies, setup,
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
    steps.run("the demo's shell lines", || run_tests(workspace_tests()?.args(["--test", "curl_lines"]), &mut counts));
    steps.run("benchmarks: goals and pages", || run_tests(&mut bench::test(), &mut counts));
    page::add_to(&mut steps, &mut counts);
    npm::add_to(&mut steps, &mut counts);
    dist::add_to(&mut steps, &mut counts);
    dist::add_chart_to(&mut steps);
    steps.run("both doors, one answer", || run_tests(workspace_tests()?.args(["--test", "doors_agree"]), &mut counts));
    proxies::add_to(&mut steps, &mut counts);
    nginx::add_to(&mut steps, &mut counts);
    keycloak::add_to(&mut steps, &mut counts);
    mcp::add_to(&mut steps, &mut counts);
    docs::add_to(&mut steps);
    steps.run("guards of speed", guards::count);
    let outcome = steps.finish();
    counts.print();
    outcome
}

/// The command for the tests of the whole workspace with all features, so that nothing is built twice; without the nginx module
/// where nginx's headers are not set up.
pub(crate) fn workspace_tests() -> Result<Command> {
    let mut test = whole_workspace_tests()?;
    nginx::within(&mut test);
    Ok(test)
}

/// The command for the tests of the whole workspace, without the variables that the nginx module is built with.
pub(crate) fn whole_workspace_tests() -> Result<Command> {
    let mut test = cargo(["test", "--workspace"]);
    test.arg(all_features(&packages()?));
    Ok(test)
}

/// Runs a `cargo test`.
pub(crate) fn run_tests(command: &mut Command, total: &mut Counts) -> Result {
    counted(command, total, Counts::see_cargo)
}

/// Runs tests and counts them; fails if no test ran.
pub(crate) fn counted(command: &mut Command, total: &mut Counts, see: fn(&mut Counts, &str)) -> Result {
    let mut counts = Counts::default();
    let outcome = run_seeing(command, |line| see(&mut counts, line));
    total.passed += counts.passed;
    total.failed += counts.failed;
    outcome?;
    if counts.passed == 0 {
        return Err("expected tests, but none ran".to_owned());
    }
    Ok(())
}

/// The numbers of tests, read from the last line of each run.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Counts {
    passed: u64,
    failed: u64,
}

impl Counts {
    /// Prints the closing line, if any test ran.
    pub(crate) fn print(&self) {
        if *self != Self::default() {
            println!("\n{} passed, {} failed", self.passed, self.failed);
        }
    }

    /// Reads a line such as `test result: ok. 12 passed; 0 failed; …`, one for each test binary.
    fn see_cargo(&mut self, line: &str) {
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

    /// Reads the lines `# pass 12` and `# fail 0` at the end of all tests.
    pub(crate) fn see_node(&mut self, line: &str) {
        match line.strip_prefix("# ").and_then(|count| count.split_once(' ')) {
            Some(("pass", number)) => self.passed += number.parse().unwrap_or(0),
            Some(("fail", number)) => self.failed += number.parse().unwrap_or(0),
            _ => {}
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
            counts.see_cargo(line);
        }
        assert_eq!(counts, Counts { passed: 15, failed: 2 });
    }

    #[test]
    fn closing_lines_of_node_are_counted_and_others_not() {
        let mut counts = Counts::default();
        for line in
            ["ok 1 - pass 3", "# tests 8", "# suites 1", "# pass 7", "# fail 1", "# a test fails 3 times", "pass 5"]
        {
            counts.see_node(line);
        }
        assert_eq!(counts, Counts { passed: 7, failed: 1 });
    }
}
