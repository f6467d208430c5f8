//! The artefacts in the hands of a newcomer: from `target/dist` alone, in empty folders, each answers 401 and 200.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::crates;
use crate::{
    Result,
    shell::{cargo, root, run as run_command},
    test::{Counts, run_tests},
};

/// The code of the newcomer's project, whose tests try the gateway, too.
const API: &str = include_str!("home/api.rs");

/// What they add, as the README says, and for its tests.
const ADDED: [&[&str]; 3] = [
    &["portcullis", "axum"],
    &["tokio", "--features", "full"],
    &["--dev", "portcullis-testkit", "reqwest@0.13", "serde_json"],
];

/// Packs what tests need, and tries it.
pub(super) fn run(counts: &mut Counts) -> Result {
    crates::run()?;
    let folder = root().join("target/home");
    let source = folder.join("source");
    // Compiled dependencies stay: they are found again by the paths of their sources.
    super::empty(&source)?;
    crates::directory_source(&source)?;
    let project = project(&folder, &source)?;
    let mut test = at(&project, ["test", "--offline"]);
    run_tests(test.arg("--target-dir").arg(folder.join("target")), counts)
}

/// Makes the newcomer's project, with dependencies from a directory source alone.
fn project(folder: &Path, source: &Path) -> Result<PathBuf> {
    let project = folder.join("orders");
    super::empty(&project)?;
    // Not a member of the workspace that it is in.
    write(&project.join("Cargo.toml"), "[package]\nname = \"orders\"\nedition = \"2024\"\n\n[workspace]\n")?;
    super::make(&project.join("src"))?;
    write(&project.join("src/main.rs"), API)?;
    super::make(&project.join(".cargo"))?;
    let source = source.display();
    write(
        &project.join(".cargo/config.toml"),
        &format!("[source.crates-io]\nreplace-with = \"home\"\n\n[source.home]\ndirectory = \"{source}\"\n"),
    )?;
    ADDED.iter().try_for_each(|added| run_command(at(&project, ["add", "--quiet"]).args(*added)))?;
    Ok(project)
}

fn at<const N: usize>(project: &Path, arguments: [&str; N]) -> Command {
    let mut cargo = cargo(arguments);
    cargo.current_dir(project);
    cargo
}

fn write(file: &Path, text: &str) -> Result {
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}
