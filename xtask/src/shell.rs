//! Other programs, started as children; each runs to its end, and its output goes to the terminal.

use std::{
    env,
    ffi::OsStr,
    io::{BufRead, BufReader, ErrorKind, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::Result;

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// `cargo` with these arguments, in the root of the workspace.
///
/// A run builds everything once: incremental state would only cost time and space, and backtraces need line tables
/// only, in other workspaces, too. Variables that are set already keep their values.
pub(crate) fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = program(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    for (name, value) in [("CARGO_INCREMENTAL", "0"), ("CARGO_PROFILE_DEV_DEBUG", "line-tables-only")] {
        if env::var_os(name).is_none() {
            command.env(name, value);
        }
    }
    command
}

/// A program with this name, in the root of the workspace.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root());
    command
}

/// Runs a command to its end, with its output on the terminal.
pub(crate) fn run(command: &mut Command) -> Result {
    let mut child = start(command)?;
    succeeded(command, wait(command, &mut child)?)
}

/// Runs a command to its end and returns its output; `None` if there is no such program or it failed.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

/// Lists the project's files that match one of these patterns, committed or not, by their paths below [`root`].
pub(crate) fn files<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>> {
    let mut git = program("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard", "--"]).args(patterns);
    let listed = output(&mut git).ok_or("cannot list the files of the project: check that git is installed")?;
    // A listed file may have been deleted a moment ago.
    let files: Vec<_> = listed.lines().filter(|file| root().join(file).is_file()).map(str::to_owned).collect();
    if files.is_empty() { Err("expected files of the project to check, got none".to_owned()) } else { Ok(files) }
}

/// Runs a command to its end, with its output on the terminal, and passes each line of stdout to `see`.
pub(crate) fn run_seeing(command: &mut Command, mut see: impl FnMut(&str)) -> Result {
    let mut child = start(command.stdout(Stdio::piped()))?;
    if let Some(stdout) = child.stdout.take() {
        let mut terminal = std::io::stdout();
        for line in BufReader::new(stdout).split(b'\n').map_while(|line| line.ok()) {
            let line = String::from_utf8_lossy(&line);
            see(&line);
            // A closed terminal is no reason to stop the command.
            let _ = writeln!(terminal, "{line}");
        }
    }
    succeeded(command, wait(command, &mut child)?)
}

/// Runs a command to its end and returns its output; its errors go to the terminal.
pub(crate) fn run_reading(command: &mut Command) -> Result<String> {
    let child = start(command.stdout(Stdio::piped()))?;
    let output = child.wait_with_output().map_err(|error| format!("{}: {error}", shown(command)))?;
    succeeded(command, output.status)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a command and ends it, with its children, if it takes longer than `limit`.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Result {
    let mut child = start(in_own_group(command))?;
    let started = Instant::now();
    while started.elapsed() < limit {
        match child.try_wait() {
            Ok(Some(status)) => return succeeded(command, status),
            Ok(None) => thread::sleep(Duration::from_millis(50)),
            Err(error) => return Err(format!("{}: {error}", shown(command))),
        }
    }
    // The group first, for the command's children; then the command itself, for systems without groups.
    let _ = run(program("kill").args(["-KILL", "--", &format!("-{}", child.id())]));
    let _ = child.kill();
    wait(command, &mut child)?;
    Err(format!("expected `{}` to end within {} seconds, and stopped it after that", shown(command), limit.as_secs()))
}

#[cfg(unix)]
fn in_own_group(command: &mut Command) -> &mut Command {
    std::os::unix::process::CommandExt::process_group(command, 0)
}

#[cfg(not(unix))]
fn in_own_group(command: &mut Command) -> &mut Command {
    command
}

/// The command as typed in a shell.
fn shown(command: &Command) -> String {
    let name = Path::new(command.get_program());
    let name = name.file_name().unwrap_or(name.as_os_str());
    let words = std::iter::once(name).chain(command.get_args());
    let words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
    words.join(" ")
}

fn start(command: &mut Command) -> Result<Child> {
    command.spawn().map_err(|error| {
        let name = command.get_program().to_string_lossy();
        match error.kind() {
            ErrorKind::NotFound => format!("{name} is not installed"),
            _ => format!("cannot start {name}: {error}"),
        }
    })
}

fn wait(command: &Command, child: &mut Child) -> Result<ExitStatus> {
    child.wait().map_err(|error| format!("{}: {error}", shown(command)))
}

fn succeeded(command: &Command, status: ExitStatus) -> Result {
    if status.success() {
        return Ok(());
    }
    Err(match status.code() {
        Some(code) => format!("`{}` ended with exit code {code}", shown(command)),
        None => format!("`{}` was ended by a signal", shown(command)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_fails_is_told_as_typed() {
        let error = run(program("sh").args(["-c", "exit 3"])).unwrap_err();
        assert_eq!(error, "`sh -c exit 3` ended with exit code 3");
    }

    #[test]
    fn a_missing_program_is_told_by_name() {
        let error = run(&mut program("portcullis-no-such-program")).unwrap_err();
        assert_eq!(error, "portcullis-no-such-program is not installed");
    }

    #[test]
    fn lines_of_stdout_are_seen() {
        let mut seen = Vec::new();
        run_seeing(program("printf").arg("one\ntwo\n"), |line| {
            seen.push(line.to_owned());
        })
        .unwrap();
        assert_eq!(seen, ["one", "two"]);
    }

    #[test]
    fn the_output_is_read_and_a_failure_told() {
        assert_eq!(run_reading(program("printf").arg("one\ntwo\n")).unwrap(), "one\ntwo\n");
        let error = run_reading(program("sh").args(["-c", "echo one; exit 3"])).unwrap_err();
        assert_eq!(error, "`sh -c echo one; exit 3` ended with exit code 3");
    }

    #[test]
    fn a_command_past_its_limit_is_ended_with_its_children() {
        let limit = Duration::from_millis(100);
        let error = run_within(program("sh").args(["-c", "sleep 600; true"]), limit).unwrap_err();
        assert!(error.contains("to end within"), "{error}");
    }
}
