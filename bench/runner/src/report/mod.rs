//! The reports and their plots: `docs/benchmarks.md` of the library, and one of each door that is a product by itself.

mod goals;
mod machine;
mod numbers;
mod plots;
mod prose;
mod tables;

use std::{fs, path::Path};

use clap::ValueEnum;
use harness::{Cores, Result};

use crate::{gateway, http, plan::Plan, results::Results};

/// What a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    /// The library, alone and on axum
    Library,
    /// The npm package on Express
    Express,
    /// The gateway
    Gateway,
}

impl Scope {
    /// The name of the report, and of the folder with its plots.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Library => "benchmarks",
            Self::Express => "benchmarks-express",
            Self::Gateway => "benchmarks-gateway",
        }
    }

    /// The one whose report has this table.
    fn of(table: &str) -> Self {
        if table.starts_with(http::EXPRESS_PREFIX) {
            Self::Express
        } else if table.starts_with(gateway::PREFIX) {
            Self::Gateway
        } else {
            Self::Library
        }
    }
}

/// Writes the report into a folder.
pub(crate) fn write(out: &Path, scope: Scope, plan: &Plan, cores: &Cores, results: &Results) -> Result {
    let plots = plots::write(&out.join(scope.name()), results)?;
    let parts = [
        prose::introduction(scope),
        goals::section(scope, results),
        not_measured(results),
        machine::section(scope, cores)?,
        prose::method(scope, plan),
        tables::sections(results, &plots),
    ];
    let parts: Vec<_> = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()).collect();
    let file = out.join(format!("{}.md", scope.name()));
    fs::write(&file, parts.join("\n\n") + "\n").map_err(|error| format!("{}: {error}", file.display()))
}

fn not_measured(results: &Results) -> String {
    if results.failed.is_empty() {
        return String::new();
    }
    let lines: Vec<_> = results.failed.iter().map(|failure| format!("- {failure}")).collect();
    format!("## What could not be measured\n\n{}", lines.join("\n"))
}
