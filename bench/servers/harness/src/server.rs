//! A server that runs: where it listens, how busy it is, how much memory it has.

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

/// How long a server may take from its start until it listens.
const START_LIMIT: Duration = Duration::from_secs(20);

/// How long it may take to tell how late its event loop is.
const DELAY_LIMIT: Duration = Duration::from_secs(5);

/// How often the kernel's clock of CPU time ticks, on every architecture that Linux runs on today.
const TICKS_PER_SECOND: u64 = 100;

/// A running server; it is ended when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    /// What it prints.
    lines: Receiver<String>,
}

impl Server {
    /// Starts a server that accepts the tokens of `issuer`, and waits until it listens.
    ///
    /// # Errors
    ///
    /// When it cannot be started, ends, or does not say in time where it listens.
    pub fn start(mut command: Command, issuer: &AuthorizationServer) -> Result<Self> {
        command.args(["--jwks-uri", &issuer.jwks_uri(), "--issuer", issuer.issuer(), "--audience", AUDIENCE]);
        let mut server = Self::spawn(command, SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let line = server.next_line(START_LIMIT).ok_or("it did not say where it listens")?;
        server.address = line.parse().map_err(|_| format!("it listens at no address: {line}"))?;
        Ok(server)
    }

    /// Starts a server that was told where to listen, and waits until it does.
    ///
    /// # Errors
    ///
    /// When it cannot be started, ends, or does not listen in time.
    pub fn start_at(command: Command, address: SocketAddr) -> Result<Self> {
        let mut server = Self::spawn(command, address)?;
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Ok(Some(status)) = server.child.try_wait() {
                return Err(format!("it ended at once ({status})"));
            }
            if started.elapsed() > START_LIMIT {
                return Err("it does not listen".to_owned());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(server)
    }

    fn spawn(mut command: Command, address: SocketAddr) -> Result<Self> {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let child = child.map_err(|error| format!("it cannot be started: {error}"))?;
        let (sender, lines) = mpsc::channel();
        // From here on dropping it ends the child.
        let mut server = Self { child, address, lines };
        let stdout = server.child.stdout.take().ok_or("it has no stdout")?;
        thread::spawn(move || pass_on(stdout, &sender));
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

    /// How late its event loop was since this was asked last: the 99th percentile, in nanoseconds.
    ///
    /// # Errors
    ///
    /// When it has ended, or has no event loop to tell of.
    pub fn event_loop_delay(&self) -> Result<f64> {
        let mut stdin = self.child.stdin.as_ref().ok_or_else(ended)?;
        stdin.write_all(b"\n").map_err(|_| ended())?;
        let line = self.next_line(DELAY_LIMIT).ok_or("it did not tell how late its event loop is")?;
        line.parse().map_err(|_| format!("its event loop is late by no number: {line}"))
    }

    fn next_line(&self, limit: Duration) -> Option<String> {
        self.lines.recv_timeout(limit).ok()
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

/// Until the server has ended, or nobody listens any longer.
fn pass_on(stdout: ChildStdout, lines: &Sender<String>) {
    for line in BufReader::new(stdout).lines().map_while(io::Result::ok) {
        if lines.send(line).is_err() {
            return;
        }
    }
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
