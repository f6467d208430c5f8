//! `cargo xtask bench --against REVISION`: the build of another revision, measured beside this one.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::{RUNNER, Scope, build, build_gateway, build_module};
use crate::{
    Result, npm, setup,
    shell::{self, output, program, run as run_command},
};

/// The packages of this build that the library's comparison needs.
pub(super) const LIBRARY: [&str; 5] = [RUNNER, "micro", "server-bare", "server-portcullis", "whole-portcullis"];

/// The other build's packages that are measured beside them.
const LIBRARY_BEFORE: [&str; 3] = ["micro", "server-portcullis", "whole-portcullis"];

/// A revision of this repository, checked out in a worktree under target/against.
pub(super) struct Revision {
    /// The name in the reports.
    name: String,
    worktree: PathBuf,
}

impl Revision {
    /// Checks the revision out, unless it is there from an earlier run.
    pub(super) fn check_out(name: &str) -> Result<Self> {
        let commit = format!("{name}^{{commit}}");
        let hash = output(program("git").args([
            "rev-parse",
            "--verify",
            "--quiet",
            "--short=12",
            "--end-of-options",
            &commit,
        ]))
        .ok_or_else(|| format!("expected a revision of this repository, got {name}"))?;
        let worktree = folder().join(&hash);
        if !worktree.join("Cargo.toml").exists() {
            println!("bench: checking out {name} ({hash}) into {}", worktree.display());
            // A folder deleted by hand is still on git's list.
            run_command(program("git").args(["worktree", "prune"]))?;
            run_command(program("git").args(["worktree", "add", "--detach"]).arg(&worktree).arg(&hash))?;
        }
        Ok(Self { name: format!("{name} ({hash})"), worktree })
    }

    /// Builds the programs of a scope.
    pub(super) fn build(&self, scope: Scope) -> Result {
        println!("bench: building {}", self.name);
        match scope {
            Scope::Library => build(&self.worktree, &LIBRARY_BEFORE.map(str::to_owned)),
            Scope::Express => {
                let package = self.worktree.join("crates/portcullis-node");
                setup::npm_packages("the build tools of that addon", &package)?;
                setup::npm_packages("Express there", &self.worktree.join("bench/express"))?;
                npm::build_in(&package)
            }
            Scope::Gateway => build_gateway(&self.worktree),
            Scope::Nginx => build_module(&self.worktree),
        }
    }

    /// Tells the runner to compare with this revision.
    pub(super) fn tell<'a>(&self, runner: &'a mut Command) -> &'a mut Command {
        runner.args(["--revision", &self.name]).arg("--against").arg(&self.worktree);
        runner.arg("--out").arg(folder())
    }
}

fn folder() -> PathBuf {
    shell::root().join(Path::new("target/against"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_revision_is_refused_before_anything_is_built() {
        for name in ["no-such-revision", "--all", ""] {
            assert!(Revision::check_out(name).is_err_and(|error| error.contains("expected a revision")), "{name}");
        }
    }
}
