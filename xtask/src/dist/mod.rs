//! `cargo xtask dist`: builds the artefacts for publishing into `target/dist`, and tries them out.

pub(crate) mod addresses;
mod chart;
mod crates;
mod cross;
mod deb;
mod debian;
mod home;
mod image;
mod machine;
mod npm;
mod packages;
mod platform;
mod programs;
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
    /// Try the artefacts as a newcomer would, in empty folders
    Home,
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
    /// Build the gateway for all platforms, in archives and packages of Debian
    Programs {
        /// The only platforms to build, as in `dist npm`; all by default
        #[arg(long, value_delimiter = ',', value_name = "PLATFORMS")]
        only: Vec<Platform>,
        /// Build a static program for x86-64 alone, fast and unoptimised, for tests
        #[arg(long, conflicts_with = "only")]
        quick: bool,
    },
    /// Build the container image, as an OCI layout and an archive for each processor
    Image {
        /// The only platforms to build: linux-x64-musl or linux-arm64-musl; both by default
        #[arg(long, value_delimiter = ',', value_name = "PLATFORMS")]
        only: Vec<Platform>,
        /// Build it for x86-64 alone, with the unoptimised program of `dist programs --quick`, for tests
        #[arg(long, conflicts_with = "only")]
        quick: bool,
    },
}

/// Runs the command for one part, or for all of them.
pub(crate) fn run(part: Option<&Part>) -> Result {
    match part {
        None => all(),
        Some(Part::Crates) => crates::run(crates::Files::Committed),
        Some(Part::Home) => home::run(&mut Counts::default()).map(drop),
        Some(Part::Npm { here: true, .. }) => npm::run_here(),
        Some(Part::Npm { only, .. }) => npm::run(only),
        Some(Part::Chart { write }) => chart::run(*write),
        Some(Part::Programs { only, quick }) => programs::run(only, *quick),
        Some(Part::Image { only, quick }) => image::run(only, *quick),
    }
}

/// Builds all artefacts, and tells which addresses are missing in them.
fn all() -> Result {
    let mut steps = Steps::new(true);
    steps.run("crates", || crates::run(crates::Files::Committed));
    steps.run("npm packages", || npm::run(&[]));
    steps.run("programs", || programs::run(&[], false));
    steps.run("image", || image::run(&[], false));
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
    steps.run_saying("taken home", || home::run(counts));
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The greatest exposure of the systemd unit, in tenths: docs/gateway.md names it.
    const EXPOSURE: u32 = 11;

    /// Debian's systemd has systemd-analyze; without it, nothing is looked at.
    #[test]
    fn the_unit_is_valid_and_strict() {
        if output(program("systemd-analyze").arg("--version")).is_none() {
            println!("not checked: systemd-analyze is not installed");
            return;
        }
        let unit = fs::read_to_string(root().join("deploy/portcullis.service")).unwrap();
        // The path of the program is checked, too, and only installed ones exist.
        let unit = unit.replace("/usr/local/bin/portcullis", "/bin/true");
        let folder = root().join("target/unit");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("portcullis.service");
        fs::write(&file, unit).unwrap();
        let analyze = |arguments: &[&str]| program("systemd-analyze").args(arguments).arg(&file).output().unwrap();
        let verified = analyze(&["verify"]);
        let remarks = String::from_utf8_lossy(&verified.stderr);
        assert!(verified.status.success() && remarks.is_empty(), "{remarks}");
        let threshold = format!("--threshold={EXPOSURE}");
        let security = analyze(&["security", "--offline=yes", "--no-pager", &threshold]);
        assert!(security.status.success(), "{}", String::from_utf8_lossy(&security.stdout));
        let page = fs::read_to_string(root().join("docs/gateway.md")).unwrap();
        let stated = format!("at most {}.{} is tested", EXPOSURE / 10, EXPOSURE % 10);
        assert!(page.contains(&stated), "expected `{stated}` in docs/gateway.md");
    }
}
