//! The other benchmarks' programs, and what they print.

use std::{
    env,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use harness::{Cores, Result};

use crate::{against::BEFORE, results::Results};

/// The folder of bench.
const BENCH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The programs of all benchmarks, and where two builds are compared, ours of the other revision.
#[derive(Debug)]
pub(crate) struct Programs {
    folder: PathBuf,
    /// A worktree of the other revision; `cargo xtask bench --against` copies its programs into `target/programs` there.
    before: Option<PathBuf>,
}

/// Which build a program is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    /// This one.
    This,
    /// That of the revision which this one is compared with.
    Before,
}

/// A child that does not outlive this.
struct Ended(Child);

impl Programs {
    /// The programs that were built together with this one, and a worktree of the revision that they are compared with.
    pub(crate) fn beside_this_one(before: Option<PathBuf>) -> Result<Self> {
        let this = env::current_exe().map_err(|error| format!("where this program is, is unknown: {error}"))?;
        Ok(Self { folder: this.parent().unwrap_or(Path::new(".")).to_owned(), before })
    }

    /// The builds that are measured, this one first.
    pub(crate) fn builds(&self) -> Vec<Build> {
        if self.compares() { vec![Build::This, Build::Before] } else { vec![Build::This] }
    }

    /// Whether two builds are compared.
    pub(crate) fn compares(&self) -> bool {
        self.before.is_some()
    }

    /// A script of `express`, run by Node.js as deployments do, on the server's core.
    pub(crate) fn node(&self, build: Build, cores: &Cores, script: &str) -> Command {
        let bench = match (build, &self.before) {
            (Build::Before, Some(worktree)) => worktree.join("bench"),
            _ => PathBuf::from(BENCH),
        };
        let mut node = cores.for_server(Path::new("node"));
        node.arg(bench.join("express").join(script)).env("NODE_ENV", "production");
        node
    }

    /// Where a program is.
    pub(crate) fn path(&self, build: Build, name: &str) -> PathBuf {
        match (build, &self.before) {
            (Build::Before, Some(worktree)) => worktree.join("target/programs").join(name),
            _ => self.folder.join(name),
        }
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
        // An error means that it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a program that prints figures, a line each, and takes them in as they come; what it did not print is told.
pub(crate) fn figures(command: &mut Command, results: &mut Results) {
    let finished = run(command, |line| {
        let figure = serde_json::from_str(line).map_err(|error| format!("not a figure: {line}: {error}"))?;
        results.add(figure);
        Ok(())
    });
    if let Err(reason) = finished {
        results.fail(reason);
    }
}

/// Runs a program and gives the last line that it printed.
pub(crate) fn last_line(command: &mut Command) -> Result<String> {
    let mut last = String::new();
    run(command, |line| {
        line.clone_into(&mut last);
        Ok(())
    })?;
    Ok(last)
}

/// Runs a program to its end and shows each line of its stdout to `see`; its stderr goes to the terminal.
fn run(command: &mut Command, mut see: impl FnMut(&str) -> Result) -> Result {
    let name = shown(command);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = Ended(child.map_err(|error| format!("{name} cannot be started: {error}"))?);
    let stdout = child.0.stdout.take().ok_or_else(|| format!("{name} has no stdout"))?;
    for line in BufReader::new(stdout).lines() {
        let line = line.map_err(|error| format!("{name}: {error}"))?;
        see(&line).map_err(|error| format!("{name}: {error}"))?;
    }
    let status = child.0.wait().map_err(|error| format!("{name}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name} failed ({status})")) }
}

/// The program's own name, also where taskset starts it.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let program = words.map(Path::new).find(|word| word.is_absolute()).unwrap_or(Path::new(command.get_program()));
    program.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
