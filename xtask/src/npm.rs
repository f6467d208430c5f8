//! The npm package, built and tested by its own scripts.

use std::{
    env::consts::{ARCH, OS},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Result, setup,
    shell::{program, run as run_command},
    steps::{OK, Steps},
    test::{Counts, counted},
};

/// The versions of Node in test/nodes, the newest last.
pub(crate) const VERSIONS: [&str; 3] = ["22", "24", "26"];

/// The newest tested version.
const NEWEST: &str = {
    let [.., newest] = VERSIONS;
    newest
};

/// The tests that take more than half of the time: they run on the oldest Node and on the newest.
const LONG: &str = "memory stays flat";

/// Adds the npm package's steps to `cargo xtask test`.
pub(crate) fn add_to(steps: &mut Steps, counts: &mut Counts) {
    steps.run("npm package", build);
    steps.run("npm package: test kit", || run_command(&mut npm("build:testkit:debug")));
    steps.run("npm package: types", || run_command(&mut npm("test:types")));
    steps.run("npm package: tests", || counted(&mut npm("test:tap"), counts, Counts::see_node));
    for version in VERSIONS {
        steps.run_saying(&format!("npm package: tests on Node {version}"), || match tests_on(version)? {
            Some(mut node) => counted(&mut node, counts, Counts::see_node).map(|()| OK),
            None => Ok("not run: no build for this platform"),
        });
    }
}

/// Installs the tested versions of Node beside the installed one, and the test runners that the test kit is tested under.
pub(crate) fn set_up() -> Result {
    set_up_nodes()?;
    setup::npm_packages("test runners of Node", &setup::npm_package().join("test/runners/tools"))
}

/// Installs the tested versions of Node beside the installed one.
pub(crate) fn set_up_nodes() -> Result {
    setup::npm_packages("further versions of Node", &nodes_folder())
}

/// The same tests on another version of Node, if it has a build for this platform.
fn tests_on(version: &str) -> Result<Option<Command>> {
    let Some(program) = node_program(version)? else {
        return Ok(None);
    };
    let mut node = Command::new(program);
    // Node expands the pattern itself.
    node.args(["--test", "--test-timeout=300000", "--test-concurrency=2", "--test-reporter=tap"]);
    if version != NEWEST {
        node.arg(format!("--test-skip-pattern=/^{LONG}/"));
    }
    node.arg("test/*.test.js");
    node.current_dir(setup::npm_package());
    Ok(Some(node))
}

/// The newest tested Node, if it has a build for this platform.
pub(crate) fn newest_node() -> Result<Option<PathBuf>> {
    node_program(NEWEST)
}

/// The Node of this version, if it has a build for this platform.
pub(crate) fn node_program(version: &str) -> Result<Option<PathBuf>> {
    let platform = match (OS, ARCH) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        _ => return Ok(None),
    };
    let node = nodes_folder().join(format!("node_modules/node-{version}-{platform}/bin/node"));
    if !node.exists() {
        // npm reports no error if an optional package is not available.
        return Err(format!("npm did not install Node {version}: delete test/nodes/node_modules and try again"));
    }
    Ok(Some(node))
}

/// The folder with the package.json of these versions.
pub(crate) fn nodes_folder() -> PathBuf {
    setup::npm_package().join("test/nodes")
}

/// Builds the addon from source.
pub(crate) fn build() -> Result {
    build_in(&setup::npm_package())
}

/// Builds the addon in this folder, which may belong to another revision.
pub(crate) fn build_in(package: &Path) -> Result {
    run_command(npm("build").current_dir(package))
}

fn npm(script: &str) -> Command {
    let mut npm = program("npm");
    npm.args(["run", script]).current_dir(setup::npm_package());
    npm
}
