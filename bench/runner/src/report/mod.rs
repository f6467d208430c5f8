//! The pages and their plots: `docs/benchmarks.md` of the library, and one each for Express, the gateway and the nginx module.
//!
//! The prose is in bench/pages, the goals are in bench/goals.toml; this module adds the numbers.

mod goals;
mod numbers;
mod page;
mod plots;
mod tables;

use std::{fs, path::Path};

use clap::ValueEnum;
use harness::Result;

use crate::{against::Comparison, results::Results};

pub(crate) use numbers::cell;

/// The file with the results, beside the plots.
pub(crate) const RESULTS: &str = "results.jsonl";

/// The subject of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    /// The library, alone and on axum
    Library,
    /// The npm package on Express
    Express,
    /// The gateway
    Gateway,
    /// The nginx module
    Nginx,
}

impl Scope {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 4] = [Self::Library, Self::Express, Self::Gateway, Self::Nginx];

    /// The scopes whose first page in docs/ is to come.
    #[cfg(test)]
    pub(crate) const TO_COME: &[Self] = &[];

    /// The name of the report, and of the folder with its plots.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Library => "benchmarks",
            Self::Express => "benchmarks-express",
            Self::Gateway => "benchmarks-gateway",
            Self::Nginx => "benchmarks-nginx",
        }
    }

    /// The name on the command line, of the template and of the goals.
    pub(crate) fn page(self) -> &'static str {
        match self {
            Self::Library => "library",
            Self::Express => "express",
            Self::Gateway => "gateway",
            Self::Nginx => "nginx",
        }
    }
}

/// Writes the page of a scope and its plots into a folder.
pub(crate) fn write(out: &Path, scope: Scope, results: &Results) -> Result {
    plots::write(&out.join(scope.name()), results)?;
    write_page(out, scope, &page::render(scope, results)?)
}

/// Writes the page that compares two builds.
pub(crate) fn write_against(out: &Path, scope: Scope, revision: &str, comparison: &Comparison) -> Result {
    write_page(out, scope, &page::render_against(scope, revision, comparison)?)
}

fn write_page(out: &Path, scope: Scope, page: &str) -> Result {
    let file = out.join(format!("{}.md", scope.name()));
    fs::write(&file, page).map_err(|error| format!("{}: {error}", file.display()))?;
    println!("bench: {} is written", file.display());
    Ok(())
}
