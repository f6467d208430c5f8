//! Keycloak, a third-party authorization server with step-up authentication and sender-constrained tokens, and the tests that log
//! in to it.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{self, Sender},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Result,
    setup::{runtime, unless_installed},
    shell::{self, program, run as run_command},
    steps::Steps,
    test::{Counts, run_tests, workspace_tests},
};

const VERSION: &str = "26.7.3";

/// The realm of the tests: two levels of authentication, and a user for both.
const REALM: &str = "crates/portcullis-gateway/tests/keycloak/realm.json";

/// The time limit of the start, which takes half a minute, and a whole one at the first time.
const PATIENCE: Duration = Duration::from_secs(300);

/// The words of its log when it answers.
const READY: &str = "Listening on: ";

/// Adds the step to `cargo xtask test`. It needs the built npm package.
pub(crate) fn add_to(steps: &mut Steps, counts: &mut Counts) {
    steps.run("Keycloak", || {
        // Compiled first, so that the server and the compiler do not slow each other.
        run_command(tests()?.arg("--no-run"))?;
        let keycloak = Keycloak::start()?;
        let mut tests = tests()?;
        tests.env("PORTCULLIS_KEYCLOAK", &keycloak.url).env("PORTCULLIS_KEYCLOAK_TLS", &keycloak.tls_url);
        run_tests(tests.env("PORTCULLIS_KEYCLOAK_FILES", folder()), counts)
    });
}

fn tests() -> Result<Command> {
    let mut test = workspace_tests()?;
    test.args(["--test", "keycloak"]);
    Ok(test)
}

/// Installs Java, Maven and Keycloak, unless they are installed.
pub(crate) fn set_up() -> Result {
    runtime("java", "-version", "default-jdk-headless")?;
    runtime("mvn", "-version", "maven")?;
    runtime("openssl", "version", "openssl")?;
    unless_installed("Keycloak", &folder().join(".installed"), VERSION, || {
        println!("setup: unpacking Keycloak {VERSION} with Maven");
        let artifact = format!("-Dartifact=org.keycloak:keycloak-quarkus-dist:{VERSION}:zip");
        let folder = format!("-DoutputDirectory={}", folder().display());
        run_command(program("mvn").args(["-q", "-B", "dependency:unpack", &artifact, &folder]))
    })
}

fn folder() -> PathBuf {
    shell::root().join("target/keycloak")
}

fn home() -> PathBuf {
    folder().join(format!("keycloak-{VERSION}"))
}

/// A running Keycloak with the tests' realm, in memory. Dropping it ends it.
struct Keycloak {
    process: Child,
    /// Its address, such as `http://127.0.0.1:41234`. Every issuer begins with it.
    url: String,
    /// The address at which it asks for a client certificate.
    tls_url: String,
}

impl Keycloak {
    /// Starts it on free ports of this machine, and waits until it answers.
    fn start() -> Result<Self> {
        let realms = home().join("data/import");
        let copied = fs::create_dir_all(&realms)
            .and_then(|()| fs::copy(shell::root().join(REALM), realms.join("realm.json")))
            .map_err(|error| format!("cannot copy {REALM} to {}: {error}", realms.display()));
        copied?;
        certify("server")?;
        certify("client")?;
        let [port, tls_port] = free_ports().map_err(|error| format!("found no free port: {error}"))?;
        let (url, tls_url) = (format!("http://127.0.0.1:{port}"), format!("https://127.0.0.1:{tls_port}"));
        println!("Keycloak {VERSION} starts; this takes up to a minute");
        let mut command = program("sh");
        command.arg(home().join("bin/kc.sh")).args(["start-dev", "--db=dev-mem", "--import-realm"]);
        command.args(["--http-host=127.0.0.1", &format!("--http-port={port}"), &format!("--https-port={tls_port}")]);
        command.args([&format!("--hostname={url}"), "--https-client-auth=request"]);
        for (option, file) in [
            ("https-certificate-file", "server.pem"),
            ("https-certificate-key-file", "server-key.pem"),
            ("truststore-paths", "client.pem"),
        ] {
            command.arg(format!("--{option}={}", folder().join(file).display()));
        }
        let process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let process = process.map_err(|error| format!("cannot start Keycloak: {error}"))?;
        let mut keycloak = Self { process, url, tls_url };
        keycloak.ready()?;
        Ok(keycloak)
    }

    fn ready(&mut self) -> Result {
        let log = folder().join("keycloak.log");
        let copy = File::create(&log).map_err(|error| format!("cannot write {}: {error}", log.display()))?;
        let (tell, told) = mpsc::channel();
        if let Some(output) = self.process.stdout.take() {
            thread::spawn(move || keep(output, copy, &tell));
        }
        // A closed channel tells of a process that has ended.
        told.recv_timeout(PATIENCE)
            .map_err(|_| format!("expected Keycloak to start within {PATIENCE:?}: see {}", log.display()))
    }
}

impl Drop for Keycloak {
    fn drop(&mut self) {
        // The script hands SIGTERM on to Java.
        let _ = run_command(program("kill").arg(self.process.id().to_string()));
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(20) {
            if let Ok(Some(_)) = self.process.try_wait() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Copies the log, and tells of the line with [`READY`].
fn keep(output: ChildStdout, mut log: File, ready: &Sender<()>) {
    for line in BufReader::new(output).lines().map_while(std::result::Result::ok) {
        // Nobody waits any more after a time-out; the log goes on.
        let _ = writeln!(log, "{line}");
        if line.contains(READY) {
            let _ = ready.send(());
        }
    }
}

/// Writes a new key and a self-signed certificate of two days for it, `NAME-key.pem` and `NAME.pem`.
fn certify(name: &str) -> Result {
    let mut openssl = program("openssl");
    openssl.args(["req", "-x509", "-config", "/dev/null", "-nodes", "-days", "2", "-subj", &format!("/CN={name}")]);
    openssl.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-addext", "subjectAltName=IP:127.0.0.1"]);
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", &format!("{name}-key.pem")]);
    run_command(openssl.args(["-out", &format!("{name}.pem")]).current_dir(folder()))
}

fn free_ports() -> std::io::Result<[u16; 2]> {
    let [first, second] = [TcpListener::bind(("127.0.0.1", 0))?, TcpListener::bind(("127.0.0.1", 0))?];
    Ok([first.local_addr()?.port(), second.local_addr()?.port()])
}
