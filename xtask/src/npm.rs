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

/// Adds the npm package's steps to `cargo xtask test`.
pub(crate) fn add_to(steps: &mut Steps, counts: &mut Counts) {
    steps.run("npm package", build);
    steps.run("npm package: types", || run_command(&mut npm("test:types")));
    steps.run("npm package: tests", || counted(&mut npm("test:tap"), counts, Counts::see_node));
    steps.run_saying("npm package: tests on the newest Node", || match newest_node()? {
        Some(mut node) => counted(&mut node, counts, Counts::see_node).map(|()| OK),
        None => Ok("not run: no build for this platform"),
    });
}

/// Installs the newest tested Node beside the installed one.
pub(crate) fn set_up_newest_node() -> Result {
    setup::npm_packages("the newest Node", &newest_node_folder())
}

/// The same tests on the newest Node, if it has a build for this platform.
fn newest_node() -> Result<Option<Command>> {
    let Some(program) = newest_node_program()? else {
        return Ok(None);
    };
    let mut node = Command::new(program);
    // Node expands the pattern itself.
    node.args(["--test", "--test-timeout=120000", "--test-reporter=tap", "test/*.test.js"]);
    node.current_dir(setup::npm_package());
    Ok(Some(node))
}

/// The newest Node, if it has a build for this platform.
pub(crate) fn newest_node_program() -> Result<Option<PathBuf>> {
    let platform = match (OS, ARCH) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        _ => return Ok(None),
    };
    let node = newest_node_folder().join(format!("node_modules/node-{platform}/bin/node"));
    if !node.exists() {
        // npm reports no error if an optional package is not available.
        return Err(format!("npm did not install node-{platform}: delete test/newest-node/node_modules and try again"));
    }
    Ok(Some(node))
}

fn newest_node_folder() -> PathBuf {
    setup::npm_package().join("test/newest-node")
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
