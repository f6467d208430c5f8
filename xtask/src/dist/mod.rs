//! `cargo xtask dist`: builds the artefacts for publishing into `target/dist`, and tries them out.

pub(crate) mod addresses;
mod chart;
mod crates;
mod cross;
mod debian;
mod home;
mod machine;
mod npm;
mod packages;
mod platform;
mod runtimes;

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Subcommand;

pub(crate) use chart::add_to as add_chart_to;
use platform::Platform;

use crate::{
    Result,
    shell::{output, program, root},
    steps::Steps,
    test::Counts,
};

/// The kinds of artefacts.
#[derive(Subcommand)]
pub(crate) enum Part {
    /// Pack the crates
    Crates,
    /// Build the npm packages for all platforms, and install and run them on each Node that they support
    Npm {
        /// The only platforms to build, such as linux-x64-gnu,linux-arm64-musl; all by default
        #[arg(long, value_delimiter = ',', value_name = "PLATFORMS")]
        only: Vec<Platform>,
        /// Pack instead the binaries that `npm run build` and `npm run build:testkit` built for this machine
        #[arg(long, conflicts_with = "only")]
        here: bool,
    },
    /// Pack the Helm chart, and compare deploy/kubernetes.yaml with its rendering
    Chart {
        /// Write deploy/kubernetes.yaml first
        #[arg(long)]
        write: bool,
    },
}

/// Runs the command for one part, or for all of them.
pub(crate) fn run(part: Option<&Part>) -> Result {
    match part {
        None => all(),
        Some(Part::Crates) => crates::run(),
        Some(Part::Npm { here: true, .. }) => npm::run_here(),
        Some(Part::Npm { only, .. }) => npm::run(only),
        Some(Part::Chart { write }) => chart::run(*write),
    }
}

/// Builds all artefacts, and tells which addresses are missing in them.
fn all() -> Result {
    let mut steps = Steps::new(true);
    steps.run("crates", crates::run);
    steps.run("npm packages", || npm::run(&[]));
    steps.run("chart", || chart::run(false));
    let outcome = steps.finish();
    addresses::missing().iter().for_each(|line| println!("{line}"));
    outcome
}

/// The folder of all artefacts.
fn folder() -> PathBuf {
    root().join("target/dist")
}

/// Adds the artefacts that tests build, each taken home by a newcomer, to `cargo xtask test`.
pub(crate) fn add_to(steps: &mut Steps, counts: &mut Counts) {
    npm::add_to(steps, counts);
    steps.run("taken home", || home::run(counts));
}

/// Makes a folder, or empties it.
fn empty(folder: &Path) -> Result {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    make(folder)
}

fn make(folder: &Path) -> Result {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

/// Writes the checksums of the files in a folder into its `SHA256SUMS`.
fn write_sums(folder: &Path) -> Result {
    let sums = folder.join("SHA256SUMS");
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let files = entries.filter_map(|entry| entry.ok()).filter(|entry| entry.path().is_file() && entry.path() != sums);
    let mut names: Vec<_> = files.map(|entry| entry.file_name()).collect();
    names.sort();
    let text = output(program("sha256sum").args(&names).current_dir(folder)).ok_or("cannot run sha256sum")?;
    println!("{text}");
    fs::write(&sums, text + "\n").map_err(|error| format!("{}: {error}", sums.display()))
}
