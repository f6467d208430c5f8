//! A `redis-server` of a single test.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use redis::Client;
use tempfile::TempDir;

use crate::config::{Secret, Store};

/// A server with a port and a folder of its own. It ends with the test.
pub(super) struct RedisServer {
    folder: TempDir,
    port: u16,
    options: Vec<String>,
    /// The scheme of its URL.
    scheme: &'static str,
    running: Option<Child>,
}

/// Returns a port that is not in use.
pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Makes a configuration for a server at this URL.
pub(super) fn config(url: impl Into<String>) -> Store {
    Store {
        urls: vec![url.into()],
        cluster: false,
        username: None,
        password: None,
        secret: Secret::new("s".repeat(32)),
        ca_pem: None,
    }
}

impl RedisServer {
    pub(super) fn start(options: &[&str]) -> Self {
        let server = Self::stopped(options);
        server.started()
    }

    /// Makes a server that does not run yet.
    pub(super) fn stopped(options: &[&str]) -> Self {
        let options = options.iter().map(|&option| option.to_owned()).collect();
        Self { folder: tempfile::tempdir().unwrap(), port: free_port(), options, scheme: "redis", running: None }
    }

    /// Starts a server with TLS for this name; returns it with its authority in PEM.
    pub(super) fn start_tls(name: &str) -> (Self, String) {
        let mut server = Self::stopped(&["--tls-auth-clients", "no"]);
        server.scheme = "rediss";
        let authority = write_certificates(server.folder.path(), name);
        (server.started(), authority)
    }

    /// Starts a cluster of one.
    pub(super) fn start_cluster() -> Self {
        let bus = free_port().to_string();
        let server = Self::start(&["--cluster-enabled", "yes", "--cluster-port", &bus]);
        let () = server.ask(redis::cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(0).arg(16383));
        until("the cluster is whole", || {
            server.ask::<String>(redis::cmd("CLUSTER").arg("INFO")).contains("cluster_state:ok")
        });
        server
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn config(&self) -> Store {
        config(format!("{}://127.0.0.1:{}", self.scheme, self.port))
    }

    /// Sends a command to a server with neither TLS nor password, and returns the reply.
    pub(super) fn ask<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> T {
        let client = Client::open(("127.0.0.1", self.port)).unwrap();
        command.query(&mut client.get_connection().unwrap()).unwrap()
    }

    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.running.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Sends a signal: `STOP` keeps connections and sends no answers, `CONT` resumes.
    pub(super) fn signal(&self, signal: &str) {
        let pid = self.running.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
    }

    pub(super) fn restart(&mut self) {
        self.kill();
        let folder = self.folder.path();
        let (plain, tls) = if self.scheme == "rediss" { (0, self.port) } else { (self.port, 0) };
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.args(["--port", &plain.to_string()]).arg("--dir").arg(folder);
        if tls != 0 {
            command.args(["--tls-port", &tls.to_string()]);
            command.arg("--tls-cert-file").arg(folder.join("server.pem"));
            command.arg("--tls-key-file").arg(folder.join("server.key"));
            command.arg("--tls-ca-cert-file").arg(folder.join("ca.pem"));
        }
        command.args(&self.options).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn();
        self.running = Some(child.expect("the tests of the store need redis-server: apt-get install redis-server"));
        until("redis-server listens", || std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    fn started(mut self) -> Self {
        self.restart();
        self
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn write_certificates(folder: &Path, name: &str) -> String {
    let mut authority = rcgen::CertificateParams::new([]).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(authority, authority_key);

    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    fs::write(folder.join("ca.pem"), &authority_pem).unwrap();
    fs::write(folder.join("server.pem"), certificate.pem()).unwrap();
    fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
    authority_pem
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "not within ten seconds: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
