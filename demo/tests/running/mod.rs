//! The built demo, which ends with its test.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

/// The running demo; it ends with the test.
pub(crate) struct Demo {
    process: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Demo {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut process = command(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, output }
    }

    /// The lines that the demo prints at its start.
    pub(crate) fn welcome(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while !lines.last().is_some_and(|line: &String| line.contains("Ctrl-C")) {
            let mut line = String::new();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the demo ended: {lines:?}");
            lines.push(line.trim_end().to_owned());
        }
        lines
    }

    pub(crate) fn signal(&mut self, name: &str) -> std::process::ExitStatus {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
        self.process.wait().unwrap()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis-demo"));
    command.args(arguments);
    command
}

/// The arguments for free ports for both servers.
pub(crate) const FREE_PORTS: [&str; 4] = ["--listen", "127.0.0.1:0", "--as-listen", "127.0.0.1:0"];
