//! A running server: its address, CPU time and memory.

use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::{Duration, Instant},
};

use portcullis_testkit::AuthorizationServer;

use crate::{AUDIENCE, Result};

/// The time limit from a server's start until it listens.
const START_LIMIT: Duration = Duration::from_secs(20);

/// The time limit for a server's report of its event loop's delay.
const DELAY_LIMIT: Duration = Duration::from_secs(5);

/// The rate of the kernel's clock of CPU time, the same on all architectures of Linux.
const TICKS_PER_SECOND: u64 = 100;

/// A running server, ended when this value is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    /// The lines of its output.
    lines: Receiver<String>,
}

impl Server {
    /// Starts a server that accepts the tokens of `issuer`, and waits until it listens.
    ///
    /// # Errors
    ///
    /// When it cannot be started, ends, or does not print its address in time.
    pub fn start(mut command: Command, issuer: &AuthorizationServer) -> Result<Self> {
        command.args(["--jwks-uri", &issuer.jwks_uri(), "--issuer", issuer.issuer(), "--audience", AUDIENCE]);
        let mut server = Self::spawn(command, SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let line = server
            .next_line(START_LIMIT)
            .ok_or("expected the address as the first line of output, got none in time")?;
        server.address =
            line.parse().map_err(|_| format!("expected an address as the first line of output, got {line}"))?;
        Ok(server)
    }

    /// Starts a server with a configured address, and waits until it listens.
    ///
    /// # Errors
    ///
    /// When it cannot be started, ends, or does not listen in time.
    pub fn start_at(command: Command, address: SocketAddr) -> Result<Self> {
        let mut server = Self::spawn(command, address)?;
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Ok(Some(status)) = server.child.try_wait() {
                return Err(format!("expected the server to listen, but it ended at once ({status})"));
            }
            if started.elapsed() > START_LIMIT {
                return Err("expected the server to listen, but it did not in time".to_owned());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(server)
    }

    fn spawn(mut command: Command, address: SocketAddr) -> Result<Self> {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let child = child.map_err(|error| format!("cannot start the server: {error}"))?;
        let (sender, lines) = mpsc::channel();
        // From here on dropping it ends the child.
        let mut server = Self { child, address, lines };
        let stdout = server.child.stdout.take().ok_or("expected a stdout of the server, got none")?;
        thread::spawn(move || pass_on(stdout, &sender));
        Ok(server)
    }

    /// The server's address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The server's CPU time since its start.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn cpu_time(&self) -> Result<Duration> {
        let stat = self.proc("stat")?;
        ticks(&stat).map(|ticks| Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)).ok_or_else(ended)
    }

    /// The server's resident memory, in bytes.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn memory(&self) -> Result<u64> {
        self.status_bytes("VmRSS:")
    }

    /// The resident memory that the server has written itself, in bytes: without the pages of its program and libraries, which
    /// processes share, and of which the kernel maps more or fewer depending on how it has cached the file.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn own_memory(&self) -> Result<u64> {
        self.status_bytes("RssAnon:")
    }

    /// The 99th percentile of its event loop's delay since the last call, in nanoseconds.
    ///
    /// # Errors
    ///
    /// When it has ended, or has no event loop.
    pub fn event_loop_delay(&self) -> Result<f64> {
        let mut stdin = self.child.stdin.as_ref().ok_or_else(ended)?;
        stdin.write_all(b"\n").map_err(|_| ended())?;
        let line = self.next_line(DELAY_LIMIT).ok_or("expected the event loop's delay, got no line in time")?;
        line.parse().map_err(|_| format!("expected the event loop's delay as a number, got {line}"))
    }

    fn next_line(&self, limit: Duration) -> Option<String> {
        self.lines.recv_timeout(limit).ok()
    }

    fn status_bytes(&self, name: &str) -> Result<u64> {
        kib(&self.proc("status")?, name).map(|kib| kib * 1024).ok_or_else(ended)
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

/// Passes on lines until the server has ended, or the receiver is dropped.
fn pass_on(stdout: ChildStdout, lines: &Sender<String>) {
    for line in BufReader::new(stdout).lines().map_while(io::Result::ok) {
        if lines.send(line).is_err() {
            return;
        }
    }
}

/// The user and system time, fields 14 and 15 of `/proc/PID/stat`; the name before them may contain any characters.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// A size of `/proc/PID/status`.
fn kib(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
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
        let status = "VmHWM:\t  900 kB\nVmRSS:\t  812 kB\nRssAnon:\t  300 kB\n";
        assert_eq!(
            [kib(status, "VmRSS:"), kib(status, "RssAnon:"), kib(status, "RssFile:")],
            [Some(812), Some(300), None]
        );
    }
}
