//! `cargo xtask bench`: builds what `bench` has, runs it, and writes a report for each scope.

use std::{fs, path::Path};

use clap::ValueEnum;

use crate::{
    Result, npm, setup,
    shell::{self, cargo, program, run as run_command},
};

/// What is measured, for a report of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    /// The library, alone and on axum: docs/benchmarks.md
    Library,
    /// The npm package on Express: docs/benchmarks-express.md
    Express,
    /// The gateway: docs/benchmarks-gateway.md
    Gateway,
}

const RUNNER: &str = "bench-runner";

/// The packages of the library's scope that are alone in their kind; the others are found in [`KINDS`].
const SINGLE: [&str; 3] = ["micro", "bench-storms", RUNNER];

/// Folders with a package in each folder, and how the names of those with a program begin.
const KINDS: [(&str, &str); 2] = [("servers", "server-"), ("whole", "whole-")];

/// What the gateway is measured with.
const FOR_GATEWAY: [&str; 3] = [RUNNER, "server-auth-ok", "server-ext-authz-ok"];

/// Measures one scope, or all of them; `quick` is to see that it works, and its reports go to `bench/target/quick`.
pub(crate) fn run(quick: bool, scope: Option<Scope>) -> Result {
    let scopes = scope.map_or_else(|| Scope::value_variants().to_vec(), |scope| vec![scope]);
    // All are built before any is measured, so that what fails to build fails early.
    scopes.iter().try_for_each(|scope| scope.build())?;
    scopes.iter().try_for_each(|scope| scope.measure(quick))
}

impl Scope {
    fn build(self) -> Result {
        match self {
            Self::Library => {
                setup::for_benchmarks()?;
                build(&packages(&shell::root().join("bench"))?)
            }
            Self::Express => {
                setup::for_express_benchmarks()?;
                println!("bench: building the npm package's addon");
                npm::build()?;
                build(&[RUNNER.to_owned()])
            }
            Self::Gateway => {
                setup::for_gateway_benchmarks()?;
                println!("bench: building the gateway");
                let build_gateway = ["build", "--release", "--locked", "--package", "portcullis-gateway"];
                run_command(cargo(build_gateway).args(["--target-dir", "bench/target"]))?;
                build(&FOR_GATEWAY.map(str::to_owned))
            }
        }
    }

    fn measure(self, quick: bool) -> Result {
        let mut runner = program(shell::root().join("bench/target/release").join(RUNNER));
        runner.arg(self.name()).args(["--work", "bench/target/work"]);
        runner.args(["--out", if quick { "bench/target/quick" } else { "docs" }]);
        run_command(runner.args(quick.then_some("--quick")))
    }

    /// As the runner and the command line know it.
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// One package at a time: built together, the peers would turn on features of each other's dependencies.
fn build(packages: &[String]) -> Result {
    let bench = shell::root().join("bench");
    for (number, package) in packages.iter().enumerate() {
        println!("bench: building {package} ({} of {})", number + 1, packages.len());
        // From within the folder, whose settings for cargo hold there only.
        let mut build = cargo(["build", "--release", "--locked", "--package", package, "--target-dir", "target"]);
        run_command(build.current_dir(&bench))?;
    }
    Ok(())
}

fn packages(bench: &Path) -> Result<Vec<String>> {
    let mut packages: Vec<String> = SINGLE.map(str::to_owned).to_vec();
    for (folder, prefix) in KINDS {
        packages.extend(in_folder(&bench.join(folder), prefix).map_err(|error| format!("bench/{folder}: {error}"))?);
    }
    Ok(packages)
}

/// The packages whose names begin with the prefix, in order; the others hold what these share.
fn in_folder(folder: &Path, prefix: &str) -> std::io::Result<Vec<String>> {
    let mut packages = Vec::new();
    for entry in fs::read_dir(folder)? {
        let manifest = fs::read_to_string(entry?.path().join("Cargo.toml"))?;
        packages.extend(package_name(&manifest).filter(|name| name.starts_with(prefix)).map(str::to_owned));
    }
    packages.sort();
    Ok(packages)
}

fn package_name(manifest: &str) -> Option<&str> {
    let line = manifest.lines().find_map(|line| line.strip_prefix("name = \""))?;
    line.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_gateway_needs_is_there() {
        let packages = packages(&shell::root().join("bench")).unwrap();
        assert!(FOR_GATEWAY.iter().all(|needed| packages.iter().any(|package| package == needed)), "{packages:?}");
    }

    #[test]
    fn every_program_is_built_and_no_library_alone() {
        let packages = packages(&shell::root().join("bench")).unwrap();
        for program in ["micro", "bench-runner", "server-bare", "server-portcullis", "whole-jsonwebtoken-rust"] {
            assert!(packages.iter().any(|package| package == program), "{program}: {packages:?}");
        }
        for library in ["server", "harness", "whole", "figures"] {
            assert!(!packages.iter().any(|package| package == library), "{library}: {packages:?}");
        }
    }
}
