//! Other programs: started, waited for, and ended by their process id.

use std::{
    ffi::OsString,
    fs::File,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use tokio::net::TcpStream;

/// The time limit of a wait.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program; it ends with its test.
pub(crate) struct Process {
    child: Child,
    line: String,
    folder: PathBuf,
    log: PathBuf,
}

impl Process {
    /// Starts a command as typed into a shell in `folder`.
    pub(crate) fn typed(line: &str, folder: &Path) -> Self {
        let log = folder.join(format!("{}.log", line.split(' ').next().unwrap_or("program")));
        let child = start(line, folder, &log);
        Self { child, line: line.to_owned(), folder: folder.to_owned(), log }
    }

    /// Waits until the program listens on a port.
    pub(crate) async fn listening(mut self, port: u16) -> Self {
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && started.elapsed() < PATIENCE, "{}: {ended:?}\n{}", self.line, self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self
    }

    /// Ends it at once, as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Tells it to end.
    pub(crate) fn terminate(&self) {
        let ended = Command::new("kill").arg(self.child.id().to_string()).status();
        assert!(ended.unwrap().success());
    }

    /// Starts it again, after [`kill`](Self::kill).
    pub(crate) async fn restart(self, port: u16) -> Self {
        let (line, folder) = (self.line.clone(), self.folder.clone());
        drop(self);
        Self::typed(&line, &folder).listening(port).await
    }

    /// Returns its output so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    #[expect(clippy::print_stderr, reason = "a test that fails shows the logs of its processes")]
    fn drop(&mut self) {
        self.terminate_quietly();
        if std::thread::panicking() {
            eprintln!("--- {}\n{}", self.line, self.log());
        }
    }
}

impl Process {
    /// Sends SIGTERM first, so that a program with children ends them, too.
    fn terminate_quietly(&mut self) {
        if let Ok(Some(_)) = self.child.try_wait() {
            return;
        }
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(2) {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.kill();
    }
}

fn start(line: &str, folder: &Path, log: &Path) -> Child {
    let said = File::options().create(true).append(true).open(log).unwrap();
    let mut command = Command::new("sh");
    // `exec`, so that the process id is that of the program; its input is open as long as the test runs.
    command.args(["-c", &format!("exec {line}")]).current_dir(folder).env("PATH", path()).env("HOME", folder);
    command.stdin(Stdio::piped()).stdout(said.try_clone().unwrap()).stderr(said);
    command.spawn().unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// Returns the search path: the programs installed for the tests and the built gateway come first.
fn path() -> OsString {
    let proxies = std::env::var_os("PORTCULLIS_PROXIES").map(PathBuf::from);
    let proxies = proxies.expect("PORTCULLIS_PROXIES names no folder: run `cargo xtask test`, which sets it up");
    let gateway = Path::new(env!("CARGO_BIN_EXE_portcullis")).parent().unwrap().to_path_buf();
    let system = std::env::var_os("PATH").unwrap_or_default();
    let folders = [gateway, proxies].into_iter().chain(std::env::split_paths(&system)).collect::<Vec<_>>();
    std::env::join_paths(folders).unwrap()
}

/// Returns ports that are free now, and not given away by the system: below those for outgoing connections.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    [(); N].map(|()| free_port())
}

fn free_port() -> u16 {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    // Two runs at a time begin in different places.
    let start = std::process::id().wrapping_mul(97);
    let next = || 10_000 + start.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed)) % 20_000;
    let mut ports = std::iter::repeat_with(|| u16::try_from(next()).unwrap()).take(20_000);
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a free port")
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
