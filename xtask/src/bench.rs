//! `cargo xtask bench`: builds and runs the benchmarks, and writes a report for each scope.

mod against;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use clap::ValueEnum;

use self::against::Revision;
use crate::{
    Result, nginx, npm, setup,
    shell::{self, cargo, program, run as run_command},
};

/// A subject of measurement with its own report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    /// The library, alone and on axum: docs/benchmarks.md
    Library,
    /// The npm package on Express: docs/benchmarks-express.md
    Express,
    /// The gateway: docs/benchmarks-gateway.md
    Gateway,
    /// The nginx module: docs/benchmarks-nginx.md
    Nginx,
}

const RUNNER: &str = "bench-runner";

/// The library scope's packages outside the folders of [`KINDS`].
const SINGLE: [&str; 3] = ["micro", "bench-storms", RUNNER];

/// Folders of packages, and the prefix of the names of packages with a program.
const KINDS: [(&str, &str); 2] = [("servers", "server-"), ("whole", "whole-")];

/// The packages that measure the gateway.
const FOR_GATEWAY: [&str; 3] = [RUNNER, "server-auth-ok", "server-ext-authz-ok"];

/// Measures one scope, or all of them; `quick` only tries everything out, with reports in `bench/target/quick`.
///
/// With a git revision, this build is compared with the build of that revision.
pub(crate) fn run(quick: bool, scope: Option<Scope>, against: Option<&str>) -> Result {
    let scopes = scope.map_or_else(|| Scope::value_variants().to_vec(), |scope| vec![scope]);
    let before = against.map(Revision::check_out).transpose()?;
    // Everything is built before anything is measured, so that a build fails early.
    for scope in &scopes {
        scope.set_up()?;
        before.as_ref().map_or(Ok(()), |before| before.build(*scope))?;
    }
    scopes.iter().try_for_each(|scope| scope.build(before.is_some()))?;
    scopes.iter().try_for_each(|scope| scope.measure(quick, before.as_ref()))
}

/// The command for the runner's tests: docs pages match their results, and every goal names a figure.
pub(crate) fn test() -> Command {
    let mut test = cargo(["test", "--locked", "--package", RUNNER]);
    test.current_dir(shell::root().join("bench"));
    test
}

impl Scope {
    fn set_up(self) -> Result {
        match self {
            Self::Library => setup::for_benchmarks(),
            Self::Express => setup::for_express_benchmarks(),
            Self::Gateway => setup::for_gateway_benchmarks(),
            Self::Nginx => setup::for_nginx_benchmarks(),
        }
    }

    /// Builds the scope; without the peers if two revisions are compared.
    fn build(self, is_against: bool) -> Result {
        let root = shell::root();
        match self {
            Self::Library if is_against => build(&root, &against::LIBRARY.map(str::to_owned)),
            Self::Library => build(&root, &packages(&root.join("bench"))?),
            Self::Express => {
                println!("bench: building the npm package's addon");
                npm::build()?;
                build(&root, &[RUNNER.to_owned()])
            }
            Self::Gateway => {
                build_gateway(&root)?;
                build(&root, &FOR_GATEWAY.map(str::to_owned))
            }
            Self::Nginx => {
                if !is_against {
                    build_gateway(&root)?;
                }
                build_module(&root)?;
                build(&root, &[RUNNER.to_owned()])
            }
        }
    }

    fn measure(self, quick: bool, before: Option<&Revision>) -> Result {
        let mut runner = program(programs().join(RUNNER));
        runner.arg(self.name()).args(["--work", "bench/target/work"]).args(quick.then_some("--quick"));
        match before {
            Some(before) => before.tell(&mut runner),
            None => runner.args(["--out", if quick { "bench/target/quick" } else { "docs" }]),
        };
        run_command(&mut runner)
    }

    /// The name for the runner and the command line.
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// The folder of the measured programs.
fn programs() -> PathBuf {
    shell::root().join("bench/target/release")
}

/// Builds the gateway of a checkout.
fn build_gateway(root: &Path) -> Result {
    println!("bench: building the gateway");
    let mut build = cargo(["build", "--release", "--package", "portcullis-gateway"]);
    run_command(into_target(&mut build, root).current_dir(root))
}

/// Builds the nginx module of a checkout beside its other programs, where the runner finds it.
fn build_module(root: &Path) -> Result {
    println!("bench: building the nginx module");
    run_command(into_target(&mut nginx::release_build(), root).current_dir(root))
}

/// Directs a build into the checkout's own target folder: in a folder of both revisions, cargo took a library of one for that of the
/// other, which has the same name and an older date.
///
/// The lock file of another revision may be incomplete, because commits seldom build the benchmarks.
fn into_target<'a>(build: &'a mut Command, root: &Path) -> &'a mut Command {
    build.arg("--target-dir").arg(root.join("bench/target")).args((root == shell::root()).then_some("--locked"))
}

/// Builds packages of a checkout.
///
/// One package at a time: built together, the peers would turn on features of each other's dependencies.
fn build(root: &Path, packages: &[String]) -> Result {
    let bench = root.join("bench");
    for (number, package) in packages.iter().enumerate() {
        println!("bench: building {package} ({} of {})", number + 1, packages.len());
        // Run in the folder, because its cargo settings hold only there.
        let mut build = cargo(["build", "--release", "--package", package]);
        run_command(into_target(&mut build, root).current_dir(&bench))?;
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

/// The packages whose names begin with the prefix, in order; the others are shared code.
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
        for program in [
            "micro",
            "bench-runner",
            "server-bare",
            "server-actix-bare",
            "server-actix-portcullis",
            "server-portcullis",
            "whole-jsonwebtoken-rust",
        ] {
            assert!(packages.iter().any(|package| package == program), "{program}: {packages:?}");
        }
        for library in ["server", "harness", "whole", "figures"] {
            assert!(!packages.iter().any(|package| package == library), "{library}: {packages:?}");
        }
    }
}
