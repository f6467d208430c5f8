//! `cargo xtask dist`: builds the artefacts for publishing into `target/dist`, and tries them out.

mod chart;
mod cross;
mod debian;
mod machine;
mod npm;
mod packages;
mod platform;
mod runtimes;

use std::path::PathBuf;

use clap::Subcommand;

pub(crate) use chart::add_to as add_chart_to;
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
    /// Pack the Helm chart, and compare deploy/kubernetes.yaml with its rendering
    Chart {
        /// Write deploy/kubernetes.yaml first
        #[arg(long)]
        write: bool,
    },
}

/// Runs the command.
pub(crate) fn run(part: &Part) -> Result {
    match part {
        Part::Npm { here: true, .. } => npm::run_here(),
        Part::Npm { only, .. } => npm::run(only),
        Part::Chart { write } => chart::run(*write),
    }
}

/// The folder of all artefacts.
fn folder() -> PathBuf {
    root().join("target/dist")
}
