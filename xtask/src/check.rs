//! `cargo xtask check`: all checks that do not run the code.

use std::time::Duration;

use crate::{
    Result, api, dependencies, docs, imports,
    manifest::{NEVER_ENABLED, all_features, packages, selected},
    nginx, promises, prose, setup,
    shell::{cargo, program, run as run_command, run_within},
    steps::{OK, Steps},
    workflows,
};

/// The oldest Rust that compiles the packages.
const OLDEST: &str = env!("CARGO_PKG_RUST_VERSION");

/// The time limit for fetching the advisory database, or an older Rust.
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
    steps.run_saying("nginx's headers", nginx::headers_for_checks);
    steps.run("lints", lints);
    steps.run("documentation", documentation);
    if !fast {
        steps.run("public API", || api::check(false));
        steps.run_saying("each feature alone", each_feature);
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
    let mut clippy = cargo(["clippy", "--workspace", "--all-targets"]);
    nginx::within(clippy.arg(all_features(&packages()?)));
    run_command(clippy.args(["--", "-D", "warnings"]))
}

fn documentation() -> Result {
    let packages = packages()?;
    let mut doc = cargo(["doc", "--no-deps"]);
    doc.args(selected(&packages)).arg(all_features(&packages));
    nginx::beside(&mut doc);
    run_command(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

/// Compiles each package with each feature alone, by the oldest Rust that the packages name; by the one at hand if that is out of reach.
fn each_feature() -> Result<&'static str> {
    let mut install = program("rustup");
    let (mut hack, word) =
        match run_within(install.args(["toolchain", "install", "--profile=minimal", OLDEST]), FETCH_LIMIT) {
            Ok(()) => {
                let mut oldest = program("rustup");
                // The cargo that runs this command must not take the place of the oldest.
                oldest.args(["run", OLDEST, "cargo"]).env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
                (oldest, OK)
            }
            Err(error) => {
                println!("each feature alone: by the Rust at hand, because {OLDEST} could not be installed: {error}");
                (cargo([""; 0]), "newest only")
            }
        };
    hack.args(["hack", "check", "--each-feature", "--exclude-features", NEVER_ENABLED]);
    run_command(hack.args(selected(&packages()?)).env("RUSTFLAGS", "-D warnings"))?;
    Ok(word)
}
