//! Clients that keep their connections, wait for answers, or go away; and a server with introspection for them.

use std::{
    fs, io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use portcullis_testkit::{AuthorizationServer, Endpoint};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};

use crate::scene::{Answer, Nginx, Scene, api, configuration, folder, free_port, in_place, until};

/// The time limit of an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A file with an issuer that introspects opaque tokens, and a rule for all paths.
pub(crate) const FILE: &str = r#"
[[issuers]]
issuer = "{issuer}"
audience = ["https://api.example.com"]
introspection = { endpoint = "{issuer}/introspect", client_id = "test-client", client_secret_file = "secret", mode = "json", timeout = "20s" }

[[routes]]
path = "/*"
scope = ["read"]
"#;

/// A server whose answers name the worker, with pages that are not judged.
pub(crate) const SITE: &str = r"
    log_format short '$status $request_uri';
    portcullis_config portcullis.toml;
    server {
        listen {port} reuseport;
        access_log access.log short;
        add_header X-Worker $pid always;
        location / { proxy_pass http://{api}; }
        location /open { portcullis off; proxy_pass http://{api}; }
        location = /stub { portcullis off; stub_status; }
        location = /status { portcullis off; portcullis_status; }
    }";

/// Starts nginx with [`SITE`], this file, and these lines above the blocks.
pub(crate) async fn site(main: &str, file: &str) -> Scene {
    site_of(AuthorizationServer::start().await, main, file, SITE).await
}

/// Like [`site`], with this authorization server and this `http` block.
pub(crate) async fn site_of(authorization: AuthorizationServer, main: &str, file: &str, http: &str) -> Scene {
    let (folder, port) = (folder(), free_port());
    let api = api().await;
    let text = |text: &str| in_place(text, port, authorization.issuer(), &api);
    for (name, content) in [
        ("nginx.conf", text(&configuration(folder.path(), main, http))),
        ("portcullis.toml", text(file)),
        ("secret", "test-secret\n".to_owned()),
        ("long-secret", "a secret that all workers have, of 32 bytes or more".to_owned()),
    ] {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let nginx = Nginx::start(folder.path(), port).await;
    Scene { authorization, nginx, folder, port }
}

impl Scene {
    /// Returns a new opaque token for reading.
    pub(crate) fn opaque(&self) -> String {
        self.authorization.issue_opaque(self.read())
    }

    /// Sends a request that waits for an answer.
    pub(crate) async fn begin(&self, target: &str, token: &str) -> Pending {
        Pending::begin(self.port, target, token).await
    }

    /// Waits until nginx has so many requests without an answer, beside the one that asks.
    pub(crate) async fn waits_for(&self, count: usize) {
        until("requests that wait", async || {
            let page = self.ask("GET /stub", None).await.body;
            let writing = page.split("Writing: ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
            writing == Some(count + 1)
        })
        .await;
    }

    /// Waits until the access log has this line so many times.
    pub(crate) async fn accessed(&self, line: &str, times: usize) {
        let path = self.folder.path().join("access.log");
        until(line, async || {
            let log = fs::read_to_string(&path).unwrap_or_default();
            log.lines().filter(|own| *own == line).count() == times
        })
        .await;
    }

    /// Waits until the worker knows the keys, so that tokens are judged without a wait.
    pub(crate) async fn knows_keys(&self) {
        self.authorization.wait_for_requests(Endpoint::Jwks, 1).await;
        let token = self.read().sign();
        until("keys", async || self.ask("GET /", Some(&token)).await.status == 200).await;
    }

    /// Returns the sum of a metric over all its labels, as the status page tells it.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let page = self.ask("GET /status", None).await.body;
        let lines = page.lines().filter(|line| line.split(['{', ' ']).next() == Some(name));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// Reloads the configuration, and waits until other workers have taken the place of the old ones.
    pub(crate) async fn reload(&self) {
        // nginx listens before it starts workers.
        until("workers", async || !self.nginx.workers().is_empty()).await;
        let before = self.nginx.workers();
        self.nginx.signal("HUP");
        until("other workers", async || {
            let now = self.nginx.workers();
            !now.is_empty() && now.iter().all(|worker| !before.contains(worker))
        })
        .await;
    }

    /// Fails if the log tells of a crash or of something that was left open.
    pub(crate) fn has_no_alert(&self, allowed: &[&str]) {
        let log = self.nginx.log();
        let bad = ["[alert]", "[emerg]", "[crit]", "open socket", "exited on signal", "a fault of the module"];
        let mut lines = log.lines().filter(|line| bad.iter().any(|bad| line.contains(bad)));
        let found = lines.find(|line| !allowed.iter().any(|allowed| line.contains(allowed)));
        assert!(found.is_none(), "{found:?}");
    }
}

/// A request that waits for its answer. A client that drops it goes away.
pub(crate) struct Pending(TcpStream);

impl Pending {
    async fn begin(port: u16, target: &str, token: &str) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(request(target, Some(token)).as_bytes()).await.unwrap();
        Self(stream)
    }

    /// Returns the answer.
    pub(crate) async fn answer(mut self) -> io::Result<Answer> {
        read(&mut self.0).await
    }

    /// Goes away with a reset of the connection instead of an end.
    pub(crate) fn reset(self) {
        #[allow(deprecated, reason = "it does not block with a time of zero")]
        self.0.set_linger(Some(Duration::ZERO)).unwrap();
    }
}

/// A client that keeps its connection.
pub(crate) struct Client {
    port: u16,
    kept: Option<TcpStream>,
}

impl Client {
    /// A client of nginx on this port.
    pub(crate) fn of(port: u16) -> Self {
        Self { port, kept: None }
    }

    /// Sends a request, on the connection of the one before if it is still open.
    ///
    /// # Errors
    ///
    /// A fault of a new connection. An old one may be closed by nginx at any time.
    pub(crate) async fn ask(&mut self, target: &str, token: Option<&str>) -> io::Result<Answer> {
        if let Some(mut stream) = self.kept.take()
            && let Ok(answer) = exchange(&mut stream, target, token).await
        {
            self.keep(stream, &answer);
            return Ok(answer);
        }
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        let answer = exchange(&mut stream, target, token).await?;
        self.keep(stream, &answer);
        Ok(answer)
    }

    fn keep(&mut self, stream: TcpStream, answer: &Answer) {
        if answer.all("connection") != ["close"] {
            self.kept = Some(stream);
        }
    }
}

fn request(target: &str, token: Option<&str>) -> String {
    let field = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    format!("GET {target} HTTP/1.1\r\nHost: api.example.com\r\n{field}\r\n")
}

async fn exchange(stream: &mut TcpStream, target: &str, token: Option<&str>) -> io::Result<Answer> {
    stream.write_all(request(target, token).as_bytes()).await?;
    read(stream).await
}

/// Reads one answer, whose length is told.
async fn read(stream: &mut TcpStream) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        more(stream, &mut bytes).await?;
    };
    let text = String::from_utf8_lossy(bytes.get(..head).unwrap()).into_owned();
    let mut lines = text.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
    let fields: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = fields.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let end = head + 4 + length.unwrap_or(0);
    while bytes.len() < end {
        more(stream, &mut bytes).await?;
    }
    let body = String::from_utf8_lossy(bytes.get(head + 4..end).unwrap()).into_owned();
    Ok(Answer { status, fields, body })
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<()> {
    let got = timeout(PATIENCE, stream.read_buf(bytes)).await.map_err(|_| io::ErrorKind::TimedOut)??;
    if got == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

/// Many clients that ask all the time, each with its own connection.
pub(crate) struct Load {
    clients: JoinSet<()>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    is_over: AtomicBool,
    answers: AtomicUsize,
    wrong: Mutex<Vec<String>>,
    faults: Mutex<Vec<String>>,
}

/// The work of a load.
#[derive(Debug)]
pub(crate) struct Done {
    /// The number of right answers.
    pub(crate) answers: usize,
    /// Wrong answers.
    pub(crate) wrong: Vec<String>,
    /// Faults of connections.
    pub(crate) faults: Vec<String>,
}

impl Load {
    /// Begins with so many clients, which ask in turn for these: target, token and expected status.
    pub(crate) fn begin(port: u16, clients: usize, asked: &[(&'static str, Option<String>, u16)]) -> Self {
        let shared = Arc::new(Shared::default());
        let tasks = (0..clients).map(|number| {
            let (shared, asked) = (Arc::clone(&shared), asked.to_vec());
            async move {
                let mut client = Client::of(port);
                for (target, token, status) in asked.iter().cycle().skip(number) {
                    if shared.is_over.load(Ordering::Relaxed) {
                        return;
                    }
                    match client.ask(target, token.as_deref()).await {
                        Ok(answer) if answer.status == *status => {
                            shared.answers.fetch_add(1, Ordering::Relaxed);
                        }
                        Ok(answer) => {
                            shared.wrong.lock().unwrap().push(format!("{target}: expected {status}, got {answer:?}"));
                        }
                        Err(error) => shared.faults.lock().unwrap().push(format!("{target}: {error}")),
                    }
                }
            }
        });
        Self { clients: tasks.collect(), shared }
    }

    /// Returns the number of right answers so far.
    pub(crate) fn answers(&self) -> usize {
        self.shared.answers.load(Ordering::Relaxed)
    }

    /// Waits until there are so many more right answers.
    pub(crate) async fn goes_on(&self, count: usize) {
        let goal = self.answers() + count;
        until("more answers", async || self.answers() >= goal).await;
    }

    /// Ends the load.
    pub(crate) async fn end(self) -> Done {
        self.shared.is_over.store(true, Ordering::Relaxed);
        timeout(PATIENCE, self.clients.join_all()).await.expect("clients that end");
        let taken = |list: &Mutex<Vec<String>>| std::mem::take(&mut *list.lock().unwrap());
        Done {
            answers: self.shared.answers.load(Ordering::Relaxed),
            wrong: taken(&self.shared.wrong),
            faults: taken(&self.shared.faults),
        }
    }
}

/// Returns true if a process runs; one that has ended and that nobody has waited for does not.
pub(crate) fn runs(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    state.is_some_and(|state| !"ZX".contains(state))
}

/// Waits until a process has ended.
pub(crate) async fn ended(process: u32) {
    until("the end of a process", async || !runs(process)).await;
}
