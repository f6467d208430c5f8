//! h2load: the client for HTTP/2 and for a fixed pace.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use harness::{Cores, Result};

use super::{
    question,
    servers::{AUTH, DESCRIPTION, write},
    turns::{Answered, Times},
};

/// The number of connections by HTTP/2 and of open requests on each: together as many as wrk has connections.
const CONNECTIONS: usize = 4;
const STREAMS: usize = 8;

/// The number of connections by HTTP/1.1 at a fixed pace.
const HTTP1_CONNECTIONS: usize = 32;

/// h2load with one thread on the client's core.
pub(super) struct H2load {
    cores: Cores,
    folder: PathBuf,
}

impl H2load {
    pub(super) fn new(cores: Cores, folder: &Path) -> Self {
        Self { cores, folder: folder.to_owned() }
    }

    /// Sends requests by gRPC for some seconds, as fast as they are answered.
    pub(super) fn ask(&self, server: SocketAddr, asked: &CheckRequest, seconds: usize) -> Result<Answered> {
        let mut command = self.grpc(asked)?;
        command.args(["--duration", &seconds.to_string()]).arg(format!("http://{server}{}", question::PATH));
        Ok(Answered { requests: finished(&mut command)?, seconds: seconds as f64, times: None })
    }

    /// Sends requests by gRPC at this pace, in requests a second.
    pub(super) fn ask_at_pace(
        &self,
        server: SocketAddr,
        asked: &CheckRequest,
        pace: f64,
        seconds: usize,
    ) -> Result<Answered> {
        let mut command = self.grpc(asked)?;
        paced(&mut command, pace, CONNECTIONS);
        self.timed(command.arg(format!("http://{server}{}", question::PATH)), seconds)
    }

    /// Sends requests of proxies by HTTP/1.1 at this pace.
    pub(super) fn forward_auth_at_pace(
        &self,
        server: SocketAddr,
        token: &str,
        pace: f64,
        seconds: usize,
    ) -> Result<Answered> {
        let mut command = self.command();
        command.args(["--h1", "--clients", &HTTP1_CONNECTIONS.to_string()]);
        command.args(DESCRIPTION.iter().flat_map(|field| ["--header", field]));
        command.args(["--header", &format!("Authorization: Bearer {token}")]);
        paced(&mut command, pace, HTTP1_CONNECTIONS);
        self.timed(command.arg(format!("http://{server}{AUTH}")), seconds)
    }

    fn command(&self) -> Command {
        let mut command = self.cores.for_client(Path::new("h2load"));
        command.args(["--threads", "1"]).stdin(Stdio::null()).stderr(Stdio::inherit());
        command
    }

    fn grpc(&self, asked: &CheckRequest) -> Result<Command> {
        let file = self.folder.join("question.bin");
        fs::write(&file, question::body(asked)).map_err(|error| format!("{}: {error}", file.display()))?;
        let mut command = self.command();
        command.args(["--clients", &CONNECTIONS.to_string(), "--max-concurrent-streams", &STREAMS.to_string()]);
        command.args(["--header", "content-type: application/grpc", "--header", "te: trailers"]);
        command.arg("--data").arg(file);
        Ok(command)
    }

    fn timed(&self, command: &mut Command, seconds: usize) -> Result<Answered> {
        let log = self.folder.join("h2load.log");
        write(&log, "")?;
        command.args(["--duration", &seconds.to_string()]).arg("--log-file").arg(&log);
        let requests = finished(command)?;
        let log = fs::read_to_string(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let times = times(&log).ok_or("expected lines of three numbers in h2load's log")?;
        Ok(Answered { requests, seconds: seconds as f64, times: Some(times) })
    }
}

/// Sets the pace, which h2load takes for each connection.
fn paced(command: &mut Command, pace: f64, connections: usize) {
    command.arg(format!("--rps={:.3}", pace / connections as f64));
}

/// The number of answered requests. A window with a failed request is an error.
fn finished(command: &mut Command) -> Result<f64> {
    let output = command.output().map_err(|error| format!("cannot start h2load: {error}"))?;
    answered(&String::from_utf8_lossy(&output.stdout))
}

fn answered(printed: &str) -> Result<f64> {
    let line = printed.lines().find(|line| line.starts_with("requests: ")).ok_or("h2load printed no result")?;
    let codes = printed.lines().find(|line| line.starts_with("status codes: ")).unwrap_or_default();
    let (done, good) = (number_before(line, " done"), number_before(codes, " 2xx"));
    let bad = [" failed", " errored", " timeout"].map(|what| number_before(line, what).unwrap_or(1.0));
    match (done, good) {
        (Some(done), Some(good)) if done > 0.0 && good >= done && bad.iter().all(|count| *count == 0.0) => Ok(done),
        _ => Err(format!("h2load: {line}; {codes}")),
    }
}

/// The number before a word in a list with commas.
fn number_before(line: &str, word: &str) -> Option<f64> {
    line.split([',', ':']).find_map(|part| part.strip_suffix(word))?.trim().parse().ok()
}

/// Reads a log, which has a line for each request: start, status and duration, in microseconds.
fn times(log: &str) -> Option<Times> {
    let times = log.lines().map(|line| line.split('\t').nth(2)?.parse::<f64>().ok().map(|time| time * 1e3));
    Times::of(times.collect::<Option<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_with_any_failure_is_no_measurement() {
        let printed = |failed, codes| {
            answered(&format!(
                "finished in 2.00s, 500.00 req/s\nrequests: 1000 total, 1032 started, 1000 done, 1000 succeeded, \
                 {failed} failed, 0 errored, 0 timeout\nstatus codes: {codes} 2xx, 0 3xx, 0 4xx, 0 5xx\n"
            ))
        };
        assert_eq!(printed(0, 1001), Ok(1000.0));
        assert!(printed(1, 1000).is_err());
        assert!(printed(0, 999).is_err());
        assert_eq!(answered(""), Err("h2load printed no result".to_owned()));
    }

    #[test]
    fn a_log() {
        let log = "1000000\t200\t500\n1500000\t200\t100\n2000000\t200\t300\n";
        assert_eq!(times(log), Some(Times { p50: 300_000.0, p99: 500_000.0 }));
        assert_eq!(times(""), None);
        assert_eq!(times("1\t200\n"), None);
    }
}
