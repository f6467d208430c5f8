//! `cargo xtask dist`: builds the artefacts for publishing into `target/dist`, and tries them out.

pub(crate) mod addresses;
mod chart;
mod crates;
mod cross;
mod deb;
mod debian;
mod forms;
mod home;
mod image;
mod inventory;
mod machine;
mod module;
mod npm;
mod packages;
mod platform;
mod programs;
mod runtimes;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use clap::Subcommand;

pub(crate) use chart::add_to as add_chart_to;
pub(crate) use packages::tarballs as npm_tarballs;
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
    /// Try the artefacts of `target/dist` as a newcomer would, in empty folders
    Home {
        /// Try those of `target/trial` instead
        #[arg(long)]
        trial: bool,
    },
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
        /// Pack it into `target/trial`
        #[arg(long)]
        trial: bool,
    },
    /// Build the gateway for all platforms, in archives and packages of Debian
    Programs {
        /// The only platforms to build, as in `dist npm`; all by default
        #[arg(long, value_delimiter = ',', value_name = "PLATFORMS")]
        only: Vec<Platform>,
        /// Pack instead the program that tests built for this machine, into `target/trial`
        #[arg(long, conflicts_with = "only")]
        trial: bool,
    },
    /// Build the container image, as an OCI layout and an archive for each processor
    Image {
        /// The only platforms to build: linux-x64-musl or linux-arm64-musl; both by default
        #[arg(long, value_delimiter = ',', value_name = "PLATFORMS")]
        only: Vec<Platform>,
        /// Build it instead with the program that tests built for this machine, into `target/trial`
        #[arg(long, conflicts_with = "only")]
        trial: bool,
    },
    /// Build the nginx module for Debian's nginx, in an archive and a package of Debian
    Nginx,
}

/// Runs the command for one part, or for all of them.
pub(crate) fn run(part: Option<&Part>) -> Result {
    match part {
        None => all(),
        Some(Part::Crates) => crates::run(Purpose::Release),
        Some(Part::Home { trial }) => home::run(Purpose::of(*trial), &mut Counts::default()).map(drop),
        Some(Part::Npm { here: true, .. }) => npm::run_here(),
        Some(Part::Npm { only, .. }) => npm::run(only),
        Some(Part::Chart { write, trial }) => chart::run(*write, Purpose::of(*trial)),
        Some(Part::Programs { only, trial }) => programs::run(only, Purpose::of(*trial)),
        Some(Part::Image { only, trial }) => image::run(only, Purpose::of(*trial)),
        Some(Part::Nginx) => module::run(),
    }
}

/// Builds all artefacts, and tells which addresses are missing in them.
fn all() -> Result {
    let mut steps = Steps::new(true);
    steps.run("version", || is_of_version(env::var("GITHUB_REF").ok().as_deref()));
    steps.run("crates", || crates::run(Purpose::Release));
    steps.run("npm packages", || npm::run(&[]));
    steps.run("programs", || programs::run(&[], Purpose::Release));
    steps.run("nginx module", module::run);
    steps.run("image", || image::run(&[], Purpose::Release));
    steps.run("chart", || chart::run(false, Purpose::Release));
    steps.run("taken home", || home::run(Purpose::Release, &mut Counts::default()).map(drop));
    let outcome = steps.finish();
    addresses::missing().iter().for_each(|line| println!("{line}"));
    outcome
}

/// Fails if the workflow of a release runs for a tag other than that of this version.
fn is_of_version(reference: Option<&str>) -> Result {
    let tag = reference.and_then(|reference| reference.strip_prefix("refs/tags/"));
    let wanted = concat!("v", env!("CARGO_PKG_VERSION"));
    match tag {
        Some(tag) if tag != wanted => {
            Err(format!("expected the tag {wanted}, got {tag}: tag the commit with this version"))
        }
        _ => Ok(()),
    }
}

/// The purpose of a build.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Publishing: what is committed, optimised.
    Release,
    /// Tests: what is there, quick to build.
    Trial,
}

impl Purpose {
    fn of(trial: bool) -> Self {
        if trial { Self::Trial } else { Self::Release }
    }

    /// The options of gzip: trials need not be small.
    fn compression(self) -> &'static str {
        if self == Self::Trial { "-1" } else { "-9" }
    }

    /// The folder of all artefacts. Trials have one of their own, so that nobody publishes them.
    fn folder(self) -> PathBuf {
        root().join(if self == Self::Trial { "target/trial" } else { "target/dist" })
    }
}

/// Adds the artefacts that tests build, each taken home by a newcomer, to `cargo xtask test`.
pub(crate) fn add_to(steps: &mut Steps, counts: &mut Counts) {
    npm::add_to(steps, counts);
    steps.run("artefacts for trial", || {
        programs::run(&[], Purpose::Trial)?;
        image::run(&[], Purpose::Trial)?;
        chart::run(false, Purpose::Trial)
    });
    steps.run_saying("taken home", || home::run(Purpose::Trial, counts));
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

/// The SHA-256 of a file, in hexadecimal digits.
fn sha256(file: &Path) -> Result<String> {
    let sum = output(program("sha256sum").arg(file)).ok_or("cannot run sha256sum")?;
    Ok(sum.split(' ').next().unwrap_or_default().to_owned())
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

    #[test]
    fn a_tag_has_the_version_of_the_workspace() {
        let version = env!("CARGO_PKG_VERSION");
        for (reference, fits) in [
            (None, true),
            (Some("refs/heads/main".to_owned()), true),
            (Some(format!("refs/tags/v{version}")), true),
            (Some("refs/tags/v99.0.0".to_owned()), false),
            (Some(format!("refs/tags/{version}")), false),
        ] {
            assert_eq!(is_of_version(reference.as_deref()).is_ok(), fits, "{reference:?}");
        }
    }

    /// Readers of a registry's page see it first.
    #[test]
    fn each_readme_begins_with_the_installation() {
        for (readme, command) in [
            ("README.md", "cargo add portcullis "),
            ("README.md", "npm install portcullis "),
            ("crates/portcullis-testkit/README.md", "cargo add --dev portcullis-testkit"),
            ("crates/portcullis-gateway/README.md", "cargo install portcullis-gateway"),
            ("crates/portcullis-node/README.md", "npm install portcullis"),
            ("crates/portcullis-node-testkit/README.md", "npm install --save-dev portcullis-testkit"),
            ("deploy/helm/portcullis/README.md", "helm install portcullis"),
            ("deploy/nginx/README.md", "apt-get install ./libnginx-mod-http-portcullis"),
        ] {
            let text = fs::read_to_string(root().join(readme)).unwrap();
            let first = text.split("```").nth(1).unwrap_or_default();
            assert!(first.contains(command), "expected `{command}` in the first block of {readme}, got{first}");
        }
    }

    /// The greatest exposure of the systemd unit, in tenths: docs/gateway.md names it.
    const EXPOSURE: u32 = 11;

    /// `cargo xtask setup` installs systemd-analyze, of Debian's systemd.
    #[test]
    fn the_unit_is_valid_and_strict() {
        let unit = fs::read_to_string(root().join("deploy/portcullis.service")).unwrap();
        // The paths of the program and its man page are checked, too, and only installed ones exist.
        let unit = unit.replace("/usr/local/bin/portcullis", "/bin/true");
        let folder = root().join("target/unit");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("portcullis.service");
        fs::write(&file, unit).unwrap();
        let analyze = |arguments: &[&str]| program("systemd-analyze").args(arguments).arg(&file).output().unwrap();
        let verified = analyze(&["verify", "--man=no"]);
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
