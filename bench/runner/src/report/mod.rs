//! `docs/benchmarks.md` and its plots; of the gateway alone, `docs/benchmarks-gateway.md`.

mod goals;
mod machine;
mod numbers;
mod plots;
mod prose;
mod tables;

use std::{fs, path::Path};

use harness::{Cores, Result};

use crate::{plan::Plan, results::Results};

/// What a report is about.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Scope {
    All,
    /// The gateway alone.
    Gateway,
}

impl Scope {
    /// The name of the report, and of the folder with its plots.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::All => "benchmarks",
            Self::Gateway => "benchmarks-gateway",
        }
    }
}

/// Writes the report into a folder.
pub(crate) fn write(out: &Path, scope: Scope, plan: &Plan, cores: &Cores, results: &Results) -> Result {
    let plots = plots::write(&out.join(scope.name()), results)?;
    let parts = [
        prose::INTRODUCTION.to_owned(),
        goals::section(scope, results),
        not_measured(results),
        machine::section(cores)?,
        prose::method(plan),
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
