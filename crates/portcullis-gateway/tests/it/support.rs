//! A gateway in a process of its own, and an authorization server in this one.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use portcullis_testkit::AuthorizationServer;
use serde_json::Value;
use tempfile::TempDir;

/// The time limit for anything that is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// The routes of a gateway whose test needs no others.
pub const ROUTES: &str = r#"
[[routes]]
path = "/open/*"
public = true

[[routes]]
path = "/orders/*"
methods = ["GET"]
scope = ["read"]
realm = "orders"

[[routes]]
path = "/orders/*"
methods = ["PUT", "POST"]
any_scope = ["write", "admin"]

[[routes]]
path = "/admin"
claims = [{ name = "role", value = "admin" }]

[[routes]]
path = "/any/*"

[[headers]]
name = "X-Auth-Subject"
claim = "sub"

[[headers]]
name = "X-Auth-Roles"
claim = "/realm_access/roles"
"#;

/// `portcullis serve` on free ports; killed when dropped.
pub struct Gateway {
    child: Child,
    folder: TempDir,
    lines: Arc<Mutex<Vec<Value>>>,
    pub forward_auth: SocketAddr,
    pub grpc: SocketAddr,
    pub admin: SocketAddr,
}

/// An answer of the gateway.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: String,
}

impl Answer {
    pub async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, body: response.text().await.unwrap() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| std::str::from_utf8(value.as_bytes()).unwrap())
    }

    /// Returns `pass`, or the code of the refusal.
    pub fn code(&self) -> String {
        if self.status == 200 {
            return "pass".to_owned();
        }
        code_of(&self.body)
    }
}

/// Returns the code in problem details, or in a JSON-RPC error.
pub fn code_of(body: &str) -> String {
    let problem: Value = serde_json::from_str(body).unwrap_or_default();
    let code = problem["code"].as_str().or(problem["error"]["data"]["code"].as_str());
    code.unwrap_or_default().to_owned()
}

/// Returns the configuration of one issuer, with `further` keys in its table.
pub fn issuer(server: &AuthorizationServer, further: &str) -> String {
    format!("[[issuers]]\nissuer = \"{}\"\naudience = [\"https://api.example.com\"]\n{further}\n", server.issuer())
}

/// Returns the configuration of one that introspects at the test kit's server.
pub fn introspecting(server: &AuthorizationServer, mode: &str, further: &str) -> String {
    let table = format!(
        "introspection = {{ endpoint = \"{}/introspect\", client_id = \"test-client\", \
         client_secret_file = \"secret\", mode = \"{mode}\" {further} }}",
        server.issuer(),
    );
    issuer(server, &table)
}

impl Gateway {
    /// Starts a gateway with tables for issuers, routes and the like; the keys above them are added.
    pub async fn start(tables: &str) -> Self {
        Self::start_with("", tables).await
    }

    /// Like [`start`](Self::start), with further keys above the tables.
    pub async fn start_with(keys: &str, tables: &str) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("secret"), "test-secret\n").unwrap();
        std::fs::write(folder.path().join("portcullis.toml"), text(keys, tables)).unwrap();
        Self::start_in(folder).await
    }

    /// Like [`start_with`](Self::start_with), on another address of this machine.
    pub async fn start_on(address: &str, keys: &str, tables: &str) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("secret"), "test-secret\n").unwrap();
        let text = text(keys, tables).replace("127.0.0.1:0", &format!("{address}:0"));
        std::fs::write(folder.path().join("portcullis.toml"), text).unwrap();
        let mut gateway = Self::start_in(folder).await;
        for socket in [&mut gateway.forward_auth, &mut gateway.grpc, &mut gateway.admin] {
            socket.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        gateway
    }

    /// Starts a gateway in a folder with a `portcullis.toml`.
    pub async fn start_in(folder: TempDir) -> Self {
        Self::start_among(folder, &[]).await
    }

    /// Like [`start_in`](Self::start_in), with these variables in its environment.
    pub async fn start_among(folder: TempDir, variables: &[(&str, &str)]) -> Self {
        let mut serving = command(&folder);
        serving.args(["serve", "--config", "portcullis.toml"]).envs(variables.iter().copied()).stderr(Stdio::piped());
        let mut child = serving.spawn().unwrap();
        let lines = Arc::default();
        let stderr = child.stderr.take().unwrap();
        let keep = Arc::clone(&lines);
        thread::spawn(move || keep_lines(BufReader::new(stderr), &keep));
        let nowhere = ([0, 0, 0, 0], 0).into();
        let mut gateway = Self { child, folder, lines, forward_auth: nowhere, grpc: nowhere, admin: nowhere };
        gateway.forward_auth = gateway.address("listen").await;
        gateway.grpc = gateway.address("grpc").await;
        gateway.admin = gateway.address("admin").await;
        gateway
    }

    async fn address(&self, listener: &str) -> SocketAddr {
        let line = self.logged(|line| line["listener"] == listener).await;
        line["address"].as_str().unwrap().parse().unwrap()
    }

    /// Returns a line of the log that fits, as soon as there is one.
    pub async fn logged(&self, like: impl Fn(&Value) -> bool) -> Value {
        let find = || self.lines.lock().unwrap().iter().find(|line| like(line)).cloned();
        match within(find).await {
            Some(line) => line,
            None => panic!("no such line among {:#?}", self.lines.lock().unwrap()),
        }
    }

    /// Returns the whole log.
    pub fn log(&self) -> String {
        self.lines.lock().unwrap().iter().map(|line| format!("{line}\n")).collect()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.forward_auth)
    }

    /// Sends a question as nginx does.
    pub async fn ask(&self, method: &str, target: &str, token: Option<&str>) -> Answer {
        let mut request =
            client().get(self.url("/auth")).header("X-Original-Method", method).header("X-Original-URI", target);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    /// Returns a page of the admin listener.
    pub async fn page(&self, path: &str) -> Answer {
        Answer::of(client().get(format!("http://{}{path}", self.admin)).send().await.unwrap()).await
    }

    /// Returns the value of a metric, given by name and labels; 0 if it is absent.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = self.page("/metrics").await.body;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.trim().parse().unwrap())
    }

    /// Waits until `/readyz` is 200.
    pub async fn ready(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.page("/readyz").await.status != 200 {
            assert!(Instant::now() < deadline, "it did not become ready: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces the configuration.
    pub fn rewrite(&self, keys: &str, tables: &str) {
        std::fs::write(self.file("portcullis.toml"), text(keys, tables)).unwrap();
    }

    /// Sends a signal, by the process id.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Waits for the end of the process, and returns its status.
    pub async fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it did not end: {}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Makes a command of the binary, in a folder.
pub fn command(folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.current_dir(folder.path()).env_remove("PORTCULLIS_LOG").env_remove("PORTCULLIS_CONFIG");
    // Spans are sent soon, and no setting of the machine applies.
    command.env("OTEL_BSP_SCHEDULE_DELAY", "50").env_remove("OTEL_EXPORTER_OTLP_HEADERS");
    command
}

pub fn text(keys: &str, tables: &str) -> String {
    let sockets = ["listen", "grpc", "admin"].map(|key| format!("{key} = \"127.0.0.1:0\"\n")).concat();
    let log = if tables.contains("[log]") { "" } else { "[log]\nformat = \"json\"\n" };
    format!("{sockets}problem_json = true\n{keys}\n{log}\n{tables}")
}

pub fn client() -> reqwest::Client {
    // Without certificates: reading those of the machine takes longer than a request.
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

/// Returns the first find within the time limit.
pub async fn within<T>(mut find: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(found) = find() {
            return Some(found);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    None
}

fn keep_lines(stderr: impl BufRead, lines: &Mutex<Vec<Value>>) {
    for line in stderr.lines().map_while(Result::ok) {
        let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
        lines.lock().unwrap().push(line);
    }
}
