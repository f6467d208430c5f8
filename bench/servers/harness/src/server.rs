//! A server that runs: where it listens, how busy it is, how much memory it has.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStdout, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use portcullis_testkit::AuthorizationServer;

use crate::{AUDIENCE, Cores, Result};

/// How long a server may take from its start until it listens.
const START_LIMIT: Duration = Duration::from_secs(20);

/// How often the kernel's clock of CPU time ticks, on every architecture that Linux runs on today.
const TICKS_PER_SECOND: u64 = 100;

/// A running server; it is ended when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts a server that accepts the tokens of `issuer`, and waits until it listens.
    ///
    /// # Errors
    ///
    /// When it cannot be started, ends, or does not say in time where it listens.
    pub fn start(cores: &Cores, program: &Path, options: &[&str], issuer: &AuthorizationServer) -> Result<Self> {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        let mut command = cores.for_server(program);
        command.args(["--jwks-uri", &issuer.jwks_uri(), "--issuer", issuer.issuer(), "--audience", AUDIENCE]);
        command.args(options).stdin(Stdio::null()).stdout(Stdio::piped());
        let child = command.spawn().map_err(|error| format!("{name} cannot be started: {error}"))?;
        // From here on dropping it ends the child.
        let mut server = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let stdout = server.child.stdout.take().ok_or_else(|| format!("{name} has no stdout"))?;
        let line = first_line(stdout).ok_or_else(|| format!("{name} did not say where it listens"))?;
        server.address = line.trim().parse().map_err(|_| format!("{name} listens at no address: {line}"))?;
        Ok(server)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How long it has kept a core busy since its start.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn cpu_time(&self) -> Result<Duration> {
        let stat = self.proc("stat")?;
        ticks(&stat).map(|ticks| Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)).ok_or_else(ended)
    }

    /// Its memory that is not swapped out, in bytes.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn memory(&self) -> Result<u64> {
        let status = self.proc("status")?;
        resident_kib(&status).map(|kib| kib * 1024).ok_or_else(ended)
    }

    fn proc(&self, file: &str) -> Result<String> {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).map_err(|_| ended())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn first_line(stdout: ChildStdout) -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        if BufReader::new(stdout).read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
            // Nobody waits any longer after the limit.
            let _ = sender.send(line);
        }
    });
    receiver.recv_timeout(START_LIMIT).ok()
}

/// User and system time, fields 14 and 15 of `/proc/PID/stat`; the name before them may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

fn resident_kib(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn ended() -> String {
    "the server has ended".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_proc() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 9 0 0 0 120 30 0 0 20 0 1 0 55 1 1";
        assert_eq!(ticks(stat), Some(150));
        assert_eq!(resident_kib("VmHWM:\t  900 kB\nVmRSS:\t  812 kB\n"), Some(812));
    }
}
