//! The project's own commands: `cargo xtask test`, `check`, `api`, `guards`, `setup`, `nginx`, `fuzz`, `bench`, `docs`,
//! `advisories`, `version`, `dist` and `publish`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks to a person")]

mod api;
mod bench;
mod check;
mod dependencies;
mod dist;
mod docs;
mod fuzz;
mod guards;
mod imports;
mod keycloak;
mod kubernetes;
mod manifest;
mod mcp;
mod nginx;
mod npm;
mod page;
mod promises;
mod prose;
mod proxies;
mod publish;
mod setup;
mod shell;
mod steps;
mod test;
mod version;
mod workflows;

use std::process::ExitCode;

use bench::Scope;
use clap::{Parser, Subcommand};

/// A value, or one line with the reason for the failure.
type Result<T = ()> = std::result::Result<T, String>;

/// Fails if there are breaches of a rule of the project, with a line for each.
fn kept(rule: &str, faults: &[String]) -> Result {
    if faults.is_empty() { Ok(()) } else { Err(format!("{rule}:\n{}", faults.join("\n"))) }
}

/// Portcullis: the project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Set up the machine, then run all checks and all tests
    Test {
        /// Leave out the checks that need an installed tool (cargo-hack, cargo-deny)
        #[arg(long)]
        fast: bool,
        /// Go on after a step that failed, and tell of all failures at the end
        #[arg(long)]
        keep_going: bool,
    },
    /// Run the checks alone: formatting, lints, import directions, docs, plain words, features, dependencies
    Check {
        /// Leave out the checks that need an installed tool (cargo-hack, cargo-deny)
        #[arg(long)]
        fast: bool,
        /// Go on after a step that failed, and tell of all failures at the end
        #[arg(long)]
        keep_going: bool,
    },
    /// Compare the public API of the libraries with their lists, `api.txt`
    Api {
        /// Write the lists anew
        #[arg(long)]
        write: bool,
        /// Have cargo-semver-checks judge instead whether the version fits the changes since the newest tag v*, or since this revision
        #[arg(long, value_name = "REVISION", num_args = 0..=1, default_missing_value = "", conflicts_with = "write")]
        since: Option<String>,
    },
    /// Count allocations, bytes and instructions, and compare them with their bounds
    Guards,
    /// Install missing tools and packages of the checks and tests
    Setup,
    /// Build the nginx module, and print how nginx loads it
    Nginx {
        /// Build with optimisations, for use
        #[arg(long)]
        release: bool,
        /// Build an nginx from source as well, and the module for that one instead of Debian's
        #[arg(long)]
        vendored: bool,
    },
    /// Run the fuzz targets one after another; any finding is a failure
    Fuzz {
        /// Run time of each target in seconds
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// The only target to run; all by default
        target: Option<String>,
    },
    /// Measure side by side with the peers, and write the reports in docs
    Bench {
        /// Run one short round of everything, as a trial; the reports go to bench/target/quick
        #[arg(long)]
        quick: bool,
        /// The only part to measure; all by default
        scope: Option<Scope>,
        /// Compare with the build of a git revision, in the same rounds; the reports go to target/against
        #[arg(long, value_name = "REVISION")]
        against: Option<String>,
    },
    /// Check the dependencies against the database of advisories
    Advisories,
    /// Build the documentation as a site into target/site, and follow its links
    Docs {
        /// Leave out the API of Rust, which takes longest
        #[arg(long)]
        pages: bool,
    },
    /// Set the version in all manifests, lock files and pages
    Version {
        /// The new version, such as 1.2.3 or 1.2.3-alpha.1
        version: String,
    },
    /// Build the artefacts for publishing into target/dist, and try them out; all by default
    Dist {
        #[command(subcommand)]
        part: Option<dist::Part>,
    },
    /// Publish the artefacts of target/dist; for the workflow of a release
    Publish {
        #[command(subcommand)]
        part: publish::Part,
        /// Print the commands only
        #[arg(long, global = true)]
        dry_run: bool,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Test { fast, keep_going } => test::run(fast, keep_going),
        Command::Check { fast, keep_going } => check::run(fast, keep_going),
        Command::Api { write, since: None } => api::check(write),
        Command::Api { since: Some(revision), .. } => api::judge(&revision),
        Command::Guards => guards::run(),
        Command::Setup => setup::run(),
        Command::Nginx { release, vendored } => nginx::run(release, vendored),
        Command::Fuzz { seconds, target } => fuzz::run(seconds, target.as_deref()),
        Command::Bench { quick, scope, against } => bench::run(quick, scope, against.as_deref()),
        Command::Advisories => check::run_advisories(),
        Command::Docs { pages } => docs::run(pages),
        Command::Version { version } => version::run(&version),
        Command::Dist { part } => dist::run(part.as_ref()),
        Command::Publish { part, dry_run } => publish::run(&part, dry_run),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
