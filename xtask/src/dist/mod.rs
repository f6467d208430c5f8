//! `cargo xtask dist`: builds the artefacts for publishing into `target/dist`, and tries them out.

mod cross;
mod deb;
mod debian;
mod image;
mod machine;
mod npm;
mod packages;
mod platform;
mod programs;
mod runtimes;

use std::path::PathBuf;

use clap::Subcommand;

pub(crate) use npm::add_to;
use platform::Platform;

use crate::{Result, shell::root};

/// The kinds of artefacts.
#[derive(Subcommand)]
pub(crate) enum Part {
    /// Build the npm packages for all platforms, and install and run them on each Node that they support
    Npm {
        /// The only platforms to build, such as linux-x64-gnu,linux-arm64-musl; all by default
        #[arg(long, value_delimiter = ',', value_name = "PLATFORMS")]
        only: Vec<Platform>,
        /// Pack instead the binaries that `npm run build` and `npm run build:testkit` built for this machine
        #[arg(long, conflicts_with = "only")]
        here: bool,
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

/// Runs the command.
pub(crate) fn run(part: &Part) -> Result {
    match part {
        Part::Npm { here: true, .. } => npm::run_here(),
        Part::Npm { only, .. } => npm::run(only),
        Part::Programs { only, quick } => programs::run(only, *quick),
        Part::Image { only, quick } => image::run(only, *quick),
    }
}

/// The folder of all artefacts.
fn folder() -> PathBuf {
    root().join("target/dist")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::shell::{output, program};

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
