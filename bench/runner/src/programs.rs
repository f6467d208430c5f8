//! The other benchmarks' programs and their output.

use std::{
    env::{self, consts::ARCH},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use harness::{Cores, Result};

use crate::{against::BEFORE, machine::said_by, results::Results};

/// The folder of bench.
const BENCH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The programs of all benchmarks, and for a comparison those of the other revision's build.
#[derive(Debug)]
pub(crate) struct Programs {
    folder: PathBuf,
    /// The worktree of the other revision; `cargo xtask bench --against` builds its programs in `bench/target` there.
    before: Option<PathBuf>,
}

/// The build of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    /// This build.
    This,
    /// The build of the revision to compare with.
    Before,
}

/// The version of Node.js of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Node {
    /// The version with long-term support.
    Lts,
    /// The newest version.
    Newest,
}

/// A child process that ends when this value is dropped.
struct Ended(Child);

impl Programs {
    /// The programs built together with this one, and the worktree of the revision to compare with.
    pub(crate) fn beside_this_one(before: Option<PathBuf>) -> Result<Self> {
        let this = env::current_exe().map_err(|error| format!("cannot find the path of this program: {error}"))?;
        Ok(Self { folder: this.parent().unwrap_or(Path::new(".")).to_owned(), before })
    }

    /// The measured builds, this one first.
    pub(crate) fn builds(&self) -> Vec<Build> {
        if self.compares() { vec![Build::This, Build::Before] } else { vec![Build::This] }
    }

    /// Returns true if two builds are compared.
    pub(crate) fn compares(&self) -> bool {
        self.before.is_some()
    }

    /// A script of `express`, run by this version of Node.js as in deployments, on the server's core.
    pub(crate) fn node(&self, build: Build, cores: &Cores, version: Node, script: &str) -> Command {
        let bench = match (build, &self.before) {
            (Build::Before, Some(worktree)) => worktree.join("bench"),
            _ => PathBuf::from(BENCH),
        };
        let mut node = cores.for_server(&version.program());
        node.arg(bench.join("express").join(script)).env("NODE_ENV", "production");
        node
    }

    /// The path of a program.
    pub(crate) fn path(&self, build: Build, name: &str) -> PathBuf {
        match (build, &self.before) {
            (Build::Before, Some(worktree)) => worktree.join("bench/target/release").join(name),
            _ => self.folder.join(name),
        }
    }
}

impl Node {
    /// The version in words.
    pub(crate) fn said(self) -> String {
        said_by(&self.program().to_string_lossy(), &["--version"])
    }

    /// The program, which `cargo xtask bench express` installs with npm.
    fn program(self) -> PathBuf {
        let version = match self {
            Self::Lts => "24",
            Self::Newest => "26",
        };
        let arch = if ARCH == "aarch64" { "arm64" } else { "x64" };
        Path::new(BENCH)
            .join(format!("../crates/portcullis-node/test/nodes/node_modules/node-{version}-linux-{arch}/bin/node"))
    }
}

impl Build {
    /// The end of the names of this build's rows.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::This => "",
            Self::Before => BEFORE,
        }
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        // An error means that the child has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a program that prints figures, one a line, and adds them to the results; records a failure.
pub(crate) fn figures(command: &mut Command, results: &mut Results) {
    let finished = run(command, |line| {
        let figure = serde_json::from_str(line).map_err(|error| format!("expected a figure, got {line}: {error}"))?;
        results.add(figure);
        Ok(())
    });
    if let Err(reason) = finished {
        results.fail(reason);
    }
}

/// Runs a program and returns the last line of its output.
pub(crate) fn last_line(command: &mut Command) -> Result<String> {
    let mut last = String::new();
    run(command, |line| {
        line.clone_into(&mut last);
        Ok(())
    })?;
    Ok(last)
}

/// Runs a program to its end and passes each line of its stdout to `see`; its stderr goes to the terminal.
fn run(command: &mut Command, mut see: impl FnMut(&str) -> Result) -> Result {
    let name = shown(command);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = Ended(child.map_err(|error| format!("cannot start {name}: {error}"))?);
    let stdout = child.0.stdout.take().ok_or_else(|| format!("{name} has no stdout"))?;
    for line in BufReader::new(stdout).lines() {
        let line = line.map_err(|error| format!("{name}: {error}"))?;
        see(&line).map_err(|error| format!("{name}: {error}"))?;
    }
    let status = child.0.wait().map_err(|error| format!("{name}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name} failed ({status})")) }
}

/// The program's own name, even if taskset starts it.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let program = words.map(Path::new).find(|word| word.is_absolute()).unwrap_or(Path::new(command.get_program()));
    program.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
