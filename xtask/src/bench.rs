//! `cargo xtask bench`: builds everything in `bench`, runs it, and writes `docs/benchmarks.md`.

use std::{fs, path::Path};

use crate::{
    Result, npm, setup,
    shell::{self, cargo, program, run as run_command},
};

/// The packages that are alone in their kind; the others are found in [`KINDS`].
const SINGLE: [&str; 3] = ["micro", "bench-storms", "bench-runner"];

/// Folders with a package in each folder, and how the names of those with a program begin.
const KINDS: [(&str, &str); 2] = [("servers", "server-"), ("whole", "whole-")];

/// What is needed where the gateway alone is measured.
const FOR_GATEWAY: [&str; 3] = ["bench-runner", "server-auth-ok", "server-ext-authz-ok"];

/// Runs the command; `quick` is to see that it works, and its report goes to `bench/target/quick`. With `gateway`, only
/// the gateway is measured, for a report of its own, `docs/benchmarks-gateway.md`.
pub(crate) fn run(quick: bool, gateway: bool) -> Result {
    if gateway {
        setup::for_gateway_benchmarks()?;
        build(&FOR_GATEWAY.map(str::to_owned))?;
    } else {
        setup::for_benchmarks()?;
        println!("bench: building the npm package's addon");
        npm::build()?;
        build(&packages(&shell::root().join("bench"))?)?;
    }
    let mut runner = program(shell::root().join("bench/target/release/bench-runner"));
    runner.args(["--work", "bench/target/work"]);
    runner.args(["--out", if quick { "bench/target/quick" } else { "docs" }]);
    runner.args(quick.then_some("--quick")).args(gateway.then_some("--gateway"));
    run_command(&mut runner)
}

/// One package at a time: built together, the peers would turn on features of each other's dependencies.
fn build(packages: &[String]) -> Result {
    println!("bench: building the gateway");
    let target = ["--target-dir", "bench/target"];
    run_command(cargo(["build", "--release", "--locked", "--package", "portcullis-gateway"]).args(target))?;
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
