//! wrk: the HTTP client.

use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{self, Stdio},
};

use harness::{Cores, Result};
use serde::Deserialize;

const SCRIPT: &str = include_str!("wrk.lua");

/// wrk with one thread on the client's core, and its script.
#[derive(Debug)]
pub(crate) struct Wrk {
    cores: Cores,
    connections: usize,
    script: PathBuf,
}

/// The repeated requests to a server.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    pub(crate) path: &'a str,
    /// The header fields in addition to the token's.
    pub(crate) fields: &'a [&'a str],
    /// The content of `POST` requests; empty for `GET`.
    pub(crate) content: &'a str,
    /// A file with tokens, one a line.
    pub(crate) tokens: &'a Path,
    /// The number of requests a second; `None` for full load.
    pub(crate) pace: Option<f64>,
}

/// The output of wrk for a window; times are in microseconds.
#[derive(Debug, Deserialize)]
pub(crate) struct Window {
    /// The number of answers.
    pub(crate) requests: usize,
    /// The actual length of the window.
    pub(crate) duration: f64,
    /// The median response time.
    pub(crate) p50: f64,
    /// The 99th percentile of response times.
    pub(crate) p99: f64,
    refused: usize,
    broken: usize,
}

impl Wrk {
    /// Writes the script for wrk.
    pub(crate) fn new(cores: Cores, connections: usize) -> Result<Self> {
        let script = env::temp_dir().join(format!("portcullis-bench-{}.lua", process::id()));
        fs::write(&script, SCRIPT).map_err(|error| format!("{}: {error}", script.display()))?;
        Ok(Self { cores, connections, script })
    }

    /// Sends requests to a server for some seconds.
    ///
    /// A window with a failed request is an error.
    pub(crate) fn ask(&self, server: SocketAddr, question: &Question<'_>, seconds: usize) -> Result<Window> {
        let Question { path, fields, content, tokens, pace } = question;
        let mut command = self.cores.for_client(Path::new("wrk"));
        command.args(["--threads", "1", "--connections", &self.connections.to_string()]);
        command.args(["--duration", &format!("{seconds}s")]).arg("--script").arg(&self.script);
        command.args(fields.iter().flat_map(|field| ["--header", field]));
        command.arg(format!("http://{server}{path}")).arg("--").arg(tokens).arg(content);
        command.args(pace.map(|pace| pace.to_string()));
        let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        let output = output.map_err(|error| format!("cannot start wrk: {error}"))?;
        Window::read(&String::from_utf8_lossy(&output.stdout))
    }
}

impl<'a> Question<'a> {
    /// `GET` requests with the tokens alone, at full load.
    pub(crate) fn with(tokens: &'a Path) -> Self {
        Self { path: "/", fields: &[], content: "", tokens, pace: None }
    }
}

impl Drop for Wrk {
    fn drop(&mut self) {
        // A script that is not deleted does no harm.
        let _ = fs::remove_file(&self.script);
    }
}

impl Window {
    fn read(printed: &str) -> Result<Self> {
        let line = printed.lines().find(|line| line.starts_with('{')).ok_or("wrk printed no result")?;
        let window: Self = serde_json::from_str(line).map_err(|error| format!("wrk printed {line}: {error}"))?;
        match window {
            Self { refused: 1.., .. } => {
                Err(format!("{} of {} requests were refused", window.refused, window.requests))
            }
            Self { broken: 1.., .. } => Err(format!("{} connections broke or timed out", window.broken)),
            Self { requests: 0, .. } => Err("no request was answered".to_owned()),
            window => Ok(window),
        }
    }

    /// Answers per second.
    pub(crate) fn rate(&self) -> f64 {
        self.requests as f64 / (self.duration / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_with_any_failure_is_no_measurement() {
        let line = |requests, refused, broken| {
            let counts = format!(r#""requests":{requests},"refused":{refused},"broken":{broken}"#);
            Window::read(&format!("Running 2s test\n{{\"duration\":2000000,\"p50\":9,\"p99\":20,{counts}}}\n"))
        };
        assert_eq!(line(1000, 0, 0).unwrap().rate(), 500.0);
        assert_eq!(line(1000, 1, 0).unwrap_err(), "1 of 1000 requests were refused");
        assert_eq!(line(1000, 0, 2).unwrap_err(), "2 connections broke or timed out");
        assert_eq!(line(0, 0, 0).unwrap_err(), "no request was answered");
        assert_eq!(Window::read("").unwrap_err(), "wrk printed no result");
    }
}
