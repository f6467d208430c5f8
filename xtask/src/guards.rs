//! `cargo xtask guards`: counts allocations, bytes and instructions, and compares them with their bounds.

use crate::{
    Result, setup,
    shell::{self, cargo, program, run as run_command},
};

/// Runs the command.
pub(crate) fn run() -> Result {
    setup::for_guards()?;
    count()
}

/// Builds the guards as users build, and runs them.
pub(crate) fn count() -> Result {
    run_command(&mut cargo(["build", "--release", "--package", "guards"]))?;
    run_command(&mut program(shell::root().join("target/release/guards")))
}
