//! Commands as a person runs them: on pipes, and on a pseudo-terminal (`script` of util-linux).

use std::{
    io::Write,
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::support::command;

/// The exit status of a command, and its output.
#[derive(Debug)]
pub struct Ran {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

/// A folder with files, in which commands run.
pub struct Desk(TempDir);

impl Desk {
    pub fn new(files: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Self(folder)
    }

    /// Runs a command on pipes, with this standard input.
    pub async fn run(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.command();
        command.args(arguments);
        ran(command, input.to_owned()).await
    }

    /// Like [`run`](Self::run), with these variables in its environment.
    pub async fn run_among(&self, arguments: &[&str], input: &str, variables: &[(&str, &str)]) -> Ran {
        let mut command = self.command();
        command.args(arguments).envs(variables.iter().copied());
        ran(command, input.to_owned()).await
    }

    /// Runs a command by a shell on a pseudo-terminal; `further` may redirect its streams.
    pub async fn on_terminal(&self, arguments: &[&str], further: &str, environment: &[(&str, &str)]) -> Ran {
        let quoted: Vec<_> = arguments.iter().map(|argument| format!("'{argument}'")).collect();
        let line = format!("'{}' {} {further}", env!("CARGO_BIN_EXE_portcullis"), quoted.join(" "));
        let mut command = Command::new("script");
        command.args(["-qec", &line, "/dev/null"]).current_dir(self.0.path());
        // In CI colours are written even without a capable terminal, since a page shows them later.
        command.env("TERM", "xterm").env_remove("NO_COLOR").env_remove("CI").env_remove("PORTCULLIS_CONFIG");
        command.envs(environment.iter().copied());
        ran(command, String::new()).await
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.path().join(name).exists()
    }

    fn command(&self) -> Command {
        let mut command = command(&self.0);
        command.env_remove("NO_COLOR").env_remove("CI").env_remove("CLICOLOR_FORCE").env("TERM", "xterm");
        command
    }
}

/// Runs a command in a thread of its own: the authorization server lives in this one.
async fn ran(mut command: Command, input: String) -> Ran {
    let work = move || {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that needs no input may have ended.
        drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
        let output = child.wait_with_output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        Ran { status: output.status.code(), out, err }
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// Returns the text without its colours; any other escape sequence stays.
pub fn without_colours(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('m') {
            Some((code, rest)) if code.chars().all(|c| c.is_ascii_digit() || c == ';') => plain.push_str(rest),
            _ => plain.push_str(&format!("\x1b[{part}")),
        }
    }
    plain
}
