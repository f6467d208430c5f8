//! `docs/benchmarks.md` and its plots.

mod goals;
mod machine;
mod numbers;
mod plots;
mod prose;
mod tables;

use std::{fs, path::Path};

use harness::{Cores, Result};

use crate::{plan::Plan, results::Results};

/// Writes the report into a folder.
pub(crate) fn write(out: &Path, plan: &Plan, cores: &Cores, results: &Results) -> Result {
    let plots = plots::write(&out.join("benchmarks"), results)?;
    let parts = [
        prose::INTRODUCTION.to_owned(),
        goals::section(results),
        not_measured(results),
        machine::section(cores)?,
        prose::method(plan),
        tables::sections(results, &plots),
    ];
    let parts: Vec<_> = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()).collect();
    let file = out.join("benchmarks.md");
    fs::write(&file, parts.join("\n\n") + "\n").map_err(|error| format!("{}: {error}", file.display()))
}

fn not_measured(results: &Results) -> String {
    if results.failed.is_empty() {
        return String::new();
    }
    let lines: Vec<_> = results.failed.iter().map(|failure| format!("- {failure}")).collect();
    format!("## What could not be measured\n\n{}", lines.join("\n"))
}
