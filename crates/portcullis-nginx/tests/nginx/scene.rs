//! An authorization server, an API and nginx with the module before it, on free ports.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use axum::{Router, extract::Request, response::IntoResponse};
use portcullis_testkit::{AuthorizationServer, TokenBuilder};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// The time limit of a wait.
const PATIENCE: Duration = Duration::from_secs(30);

/// nginx with everything around it.
pub(crate) struct Scene {
    pub(crate) authorization: AuthorizationServer,
    pub(crate) nginx: Nginx,
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
}

/// A running nginx; it ends with its test.
pub(crate) struct Nginx {
    child: Child,
    log: PathBuf,
}

impl Scene {
    /// Starts nginx with this text in its `http` block. In it, `{port}` stands for a free port of nginx's, `{issuer}` for the URL of
    /// the authorization server, and `{api}` for the address of an API that answers with the request.
    pub(crate) async fn with(http: &str) -> Self {
        Self::with_main("", http).await
    }

    /// Like [`with`](Self::with), with further lines above the blocks.
    pub(crate) async fn with_main(main: &str, http: &str) -> Self {
        let authorization = AuthorizationServer::builder().client("demo", "demo").start().await.unwrap();
        let api = api().await;
        Self::around(authorization, &api, main, http).await
    }

    /// Starts nginx before this API.
    pub(crate) async fn around(authorization: AuthorizationServer, api: &str, main: &str, http: &str) -> Self {
        let folder = folder();
        let port = free_port();
        let text = configuration(folder.path(), main, http);
        let text = in_place(&text, port, authorization.issuer(), api);
        fs::write(folder.path().join("nginx.conf"), text).unwrap();
        let nginx = Nginx::start(folder.path(), port).await;
        Self { authorization, nginx, folder, port }
    }

    /// Writes a file beside `nginx.conf`, before nginx is started by [`around`](Self::around) it does not exist: use it with `reload`.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Returns a token for reading, not yet signed.
    pub(crate) fn read(&self) -> TokenBuilder {
        self.authorization.token().scope("read")
    }

    /// Sends a request, with a token or without.
    pub(crate) async fn ask(&self, line: &str, token: Option<&str>) -> Answer {
        let field = token.map(|token| format!("Bearer {token}"));
        let fields: Vec<_> = field.iter().map(|field| ("Authorization", field.as_str())).collect();
        ask(self.port, line, &fields).await
    }

    /// Waits until nginx's log has this text.
    pub(crate) async fn logged(&self, text: &str) {
        until(text, async || self.nginx.log().contains(text)).await;
    }
}

/// Makes a folder that nginx's workers may read, who are other users if root starts nginx.
pub(crate) fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // An nginx that was configured without a place for its log looks for this one before it has read its configuration.
    fs::create_dir(folder.path().join("logs")).unwrap();
    folder
}

/// Returns the text of a configuration that runs without privileges.
pub(crate) fn configuration(folder: &Path, main: &str, http: &str) -> String {
    let (module, folder) = (module(), folder.display());
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("{name}_temp_path {folder}/{name};\n"))
        .collect();
    format!(
        "load_module {};\ndaemon off;\npid {folder}/nginx.pid;\nerror_log stderr info;\n{main}\n\
         events {{ worker_connections 1024; }}\nhttp {{\naccess_log off;\n{temporary}{http}\n}}\n",
        module.display(),
    )
}

/// Returns a text with the real port and URLs.
pub(crate) fn in_place(text: &str, port: u16, issuer: &str, api: &str) -> String {
    text.replace("{port}", &format!("127.0.0.1:{port}")).replace("{issuer}", issuer).replace("{api}", api)
}

/// Returns nginx's answer to `nginx -t` for a configuration: its text, and true if it is good.
pub(crate) fn tested(folder: &Path) -> (String, bool) {
    let output = command(folder).arg("-t").output().unwrap();
    (String::from_utf8_lossy(&output.stderr).into_owned(), output.status.success())
}

/// Returns the command that starts nginx with the `nginx.conf` in a folder.
pub(crate) fn command(folder: &Path) -> Command {
    let program = std::env::var_os("PORTCULLIS_NGINX").unwrap_or_else(|| "nginx".into());
    let mut command = Command::new(program);
    command.arg("-p").arg(folder).arg("-c").arg(folder.join("nginx.conf"));
    command
}

/// The module; by default the one that was built with this test.
fn module() -> PathBuf {
    std::env::var_os("PORTCULLIS_NGINX_MODULE").map(PathBuf::from).unwrap_or_else(|| {
        let here = std::env::current_exe().unwrap();
        here.parent().unwrap().join("libngx_http_portcullis_module.so")
    })
}

impl Nginx {
    /// Starts nginx with the `nginx.conf` in a folder, and waits until it listens.
    pub(crate) async fn start(folder: &Path, port: u16) -> Self {
        let log = folder.join("error.log");
        let file = fs::File::options().create(true).append(true).open(&log).unwrap();
        let child = command(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).spawn().unwrap();
        let mut nginx = Self { child, log };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            let ended = nginx.child.try_wait().unwrap();
            assert!(ended.is_none() && started.elapsed() < PATIENCE, "{ended:?}\n{}", nginx.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        nginx
    }

    /// Returns the process id of the master.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to the master, as `HUP` for a reload.
    pub(crate) fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    /// Returns the process ids of the workers, also of those that are about to end.
    pub(crate) fn workers(&self) -> Vec<u32> {
        children(self.id())
    }

    /// Returns the log so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Nginx {
    #[expect(clippy::print_stderr, reason = "a test that fails shows the log")]
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            signal(self.id(), "TERM");
            let started = Instant::now();
            while let Ok(None) = self.child.try_wait() {
                if started.elapsed() > Duration::from_secs(5) {
                    let _ = self.child.kill();
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        if std::thread::panicking() {
            eprintln!("--- nginx\n{}", self.log());
        }
    }
}

/// Returns the processes that a process has started.
pub(crate) fn children(process: u32) -> Vec<u32> {
    let output = Command::new("pgrep").args(["-P", &process.to_string()]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().filter_map(|line| line.trim().parse().ok()).collect()
}

/// Sends a signal to a process.
pub(crate) fn signal(process: u32, name: &str) {
    let _ = Command::new("kill").arg(format!("-{name}")).arg(process.to_string()).status();
}

/// An answer of nginx, or of the API behind it.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// Returns the values of a field, by its name in lower case.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
    }

    /// Returns the one challenge.
    pub(crate) fn challenge(&self) -> &str {
        let [challenge] = self.all("www-authenticate")[..] else { panic!("expected one challenge: {self:?}") };
        challenge
    }

    /// Returns the request that the API got.
    pub(crate) fn echo(&self) -> Echo {
        assert_eq!(self.status, 200, "{self:?}");
        Echo(serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}")))
    }
}

/// The request that the API got.
#[derive(Debug)]
pub(crate) struct Echo(Value);

impl Echo {
    /// Returns path and query.
    pub(crate) fn target(&self) -> &str {
        self.0["target"].as_str().unwrap()
    }

    /// Returns the name of each field, in lower case.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0["fields"].as_object().into_iter().flat_map(Map::keys).map(String::as_str)
    }

    /// Returns the values of a field, by its name in lower case.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let values = self.0["fields"].get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        values.iter().filter_map(Value::as_str).collect()
    }
}

/// Starts an API that answers with the request, and returns its address.
pub(crate) async fn api() -> String {
    let echo = async |request: Request| {
        let mut fields = Map::new();
        for (name, value) in request.headers() {
            let values = fields.entry(name.as_str()).or_insert_with(|| json!([]));
            values.as_array_mut().unwrap().push(String::from_utf8_lossy(value.as_bytes()).into());
        }
        let target = request.uri().to_string();
        json!({ "method": request.method().as_str(), "target": target, "fields": fields }).to_string().into_response()
    };
    serve(Router::new().fallback(echo)).await
}

/// Serves an API, and returns its address.
pub(crate) async fn serve(api: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, api).await });
    address
}

/// Sends a request with these fields on a connection of its own.
pub(crate) async fn ask(port: u16, line: &str, fields: &[(&str, &str)]) -> Answer {
    let (method, target) = line.split_once(' ').unwrap();
    let mut text = format!("{method} {target} HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n");
    for (name, value) in fields {
        text += &format!("{name}: {value}\r\n");
    }
    exchange(port, &(text + "\r\n")).await
}

/// Sends a request as it is written here, and reads the answer to the end of the connection.
pub(crate) async fn exchange(port: u16, request: &str) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("an answer in time").unwrap();
    read(&String::from_utf8_lossy(&bytes))
}

/// Reads an answer of HTTP/1.1.
pub(crate) fn read(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("expected an answer, got {text:?}"));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let fields: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let is_chunked = fields.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let body = if is_chunked { unchunked(body) } else { body.to_owned() };
    Answer { status: status.unwrap_or_else(|| panic!("expected a status, got {text:?}")), fields, body }
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        let Some(chunk) = rest.get(..size).filter(|chunk| !chunk.is_empty()) else { break };
        whole += chunk;
        body = rest.get(size + 2..).unwrap_or_default();
    }
    whole
}

/// Returns a port that is free now.
pub(crate) fn free_port() -> u16 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(97);
    let next = || 10_000 + start.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed)) % 20_000;
    let mut ports = std::iter::repeat_with(|| u16::try_from(next()).unwrap()).take(20_000);
    ports.find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a free port")
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
