//! The npm package: built and tested as its users and its authors do, by its own scripts.

use std::process::Command;

use crate::{
    Result, setup,
    shell::{program, run as run_command},
    steps::Steps,
    test::{Counts, counted},
};

/// The steps of `cargo xtask test` that are the npm package's.
pub(crate) fn add_to(steps: &mut Steps, counts: &mut Counts) {
    steps.run("npm package", build);
    steps.run("npm package: types", || run_command(&mut npm("test:types")));
    steps.run("npm package: tests", || counted(&mut npm("test:tap"), counts, Counts::see_node));
}

/// Builds the addon from source.
pub(crate) fn build() -> Result {
    run_command(&mut npm("build"))
}

fn npm(script: &str) -> Command {
    let mut npm = program("npm");
    npm.args(["run", script]).current_dir(setup::npm_package());
    npm
}
