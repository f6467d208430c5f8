//! `cargo xtask check`: all checks that do not run the code.

use std::time::Duration;

use crate::{
    Result, dependencies, docs, imports,
    manifest::{NEVER_ENABLED, NGINX, all_features, packages, selected},
    nginx, promises, prose, setup,
    shell::{cargo, run as run_command, run_within},
    steps::{OK, Steps},
    workflows,
};

/// The time limit for fetching the advisory database.
const FETCH_LIMIT: Duration = Duration::from_secs(60);

/// Runs the command.
pub(crate) fn run(fast: bool, keep_going: bool) -> Result {
    let mut steps = Steps::new(keep_going);
    steps.run("setup", || setup::for_checks(!fast));
    add_to(&mut steps, fast);
    steps.finish()
}

/// Runs `cargo xtask advisories`; a database out of reach is a failure here.
pub(crate) fn run_advisories() -> Result {
    setup::for_checks(true)?;
    match advisories()? {
        OK => Ok(()),
        outcome => Err(format!("expected the database of advisories, got none: {outcome}")),
    }
}

/// Adds the checks as steps, the quickest first.
pub(crate) fn add_to(steps: &mut Steps, fast: bool) {
    steps.run("formatting", || run_command(&mut cargo(["fmt", "--all", "--check"])));
    steps.run("direction of imports", imports::check);
    steps.run("reasons and direction of dependencies", dependencies::check);
    steps.run("promises and their tests", promises::check);
    steps.run("plain words", prose::check);
    steps.run("links and code blocks of pages", docs::check);
    steps.run("thin workflows", workflows::check);
    if !fast {
        steps.run("lints of workflows", workflows::lint);
        steps.run("licences and sources of dependencies", licences);
        steps.run_saying("advisories", advisories);
    }
    steps.run("lints", lints);
    steps.run("documentation", documentation);
    nginx::add_checks(steps);
    if !fast {
        steps.run("each feature alone", each_feature);
    }
}

fn licences() -> Result {
    run_command(&mut cargo(["deny", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"]))
}

/// Fails on an advisory; only prints a line if the database is out of reach.
///
/// Fetching and checking are two commands, so that a failed fetch is not taken for an advisory.
fn advisories() -> Result<&'static str> {
    let mut fetch = cargo(["deny", "fetch", "db"]);
    if let Err(error) = run_within(fetch.env("GIT_TERMINAL_PROMPT", "0"), FETCH_LIMIT) {
        println!("advisories: not checked, because the database could not be fetched: {error}");
        return Ok("not checked");
    }
    run_command(&mut cargo(["deny", "check", "--disable-fetch", "advisories"]))?;
    Ok(OK)
}

fn lints() -> Result {
    let mut clippy = cargo(["clippy", "--workspace", "--exclude", NGINX, "--all-targets"]);
    clippy.arg(all_features(&packages()?));
    run_command(clippy.args(["--", "-D", "warnings"]))
}

fn documentation() -> Result {
    let packages = packages()?;
    let mut doc = cargo(["doc", "--no-deps"]);
    doc.args(selected(&packages)).arg(all_features(&packages));
    run_command(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

fn each_feature() -> Result {
    // Clippy includes `cargo check`, and its warnings fail.
    let mut hack = cargo(["hack", "clippy", "--each-feature"]);
    hack.args(["--exclude-features", NEVER_ENABLED]);
    run_command(hack.args(selected(&packages()?)).args(["--", "-D", "warnings"]))
}
