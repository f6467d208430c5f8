//! The artefacts in the hands of a newcomer: from `target/dist` alone, in empty folders, each answers 401 and 200.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Purpose, crates, forms};
use crate::{
    Result,
    shell::{cargo, root, run as run_command},
    steps::OK,
    test::{Counts, run_tests},
};

/// The code of the newcomer's project, whose tests try the gateway, too.
const API: &str = include_str!("home/api.rs");

/// The dependencies that they add, as the README says, and those of its tests.
const ADDED: [&[&str]; 4] = [
    &["portcullis", "axum@0.8", "tracing-subscriber@0.3"],
    &["tokio@1", "--features", "full"],
    &["--dev", "portcullis-testkit", "reqwest@0.13", "serde_json"],
    &["--dev", "serde", "--features", "derive"],
];

/// Packs the crates, and tries them and the built forms of the gateway; returns the word for the table of tests.
pub(super) fn run(purpose: Purpose, counts: &mut Counts) -> Result<&'static str> {
    crates::run(purpose)?;
    let folder = root().join("target/home");
    let source = folder.join("source");
    // Compiled dependencies stay: they are found again by the paths of their sources.
    super::empty(&source)?;
    crates::directory_source(purpose, &source)?;
    let project = project(&folder, &source)?;
    let (forms, left_out) = forms::unpacked(purpose, &folder.join("forms"))?;
    let mut test = at(&project, ["test", "--offline"]);
    test.arg("--target-dir").arg(folder.join("target")).env("CARGO_PROFILE_DEV_DEBUG", "none");
    if forms.is_empty() {
        println!("taken home: the crates alone, since `cargo xtask dist programs` and `dist image` have not run");
        test.args(["--", "--skip", "the_gateway_judges"]);
    }
    left_out.iter().for_each(|form| println!("not tried: {form}"));
    let gateways = serde_json::to_string(&forms).map_err(|error| error.to_string())?;
    run_tests(test.env("GATEWAYS", gateways), counts)?;
    Ok(match (forms.is_empty(), left_out.is_empty()) {
        (true, _) => "crates alone",
        (false, true) => OK,
        (false, false) => "partly",
    })
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
