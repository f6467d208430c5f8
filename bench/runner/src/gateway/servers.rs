//! The gateway, started as in deployments, and single requests to it.

use std::{
    fs,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use harness::{AUDIENCE, Result, Server};

use super::{
    Bench,
    question::{self, ORDER},
    tokens::CLIENT,
};
use crate::{http::wrk::Question, programs::Build};

/// The time limit until a server lets a good token pass.
const READY_LIMIT: Duration = Duration::from_secs(10);

/// The header fields by which Traefik and Caddy describe the judged request.
pub(super) const DESCRIPTION: [&str; 4] = [
    "X-Forwarded-Method: GET",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: api.example.com",
    "X-Forwarded-Uri: /orders/1",
];

/// The path of forward-auth.
pub(super) const AUTH: &str = "/auth";

/// The requests that wrk sends there.
pub(super) fn forward_auth(tokens: &Path) -> Question<'_> {
    Question { path: AUTH, fields: &DESCRIPTION, ..Question::with(tokens) }
}

/// A running gateway.
pub(super) struct Gateway {
    pub(super) build: Build,
    pub(super) server: Server,
    pub(super) forward_auth: SocketAddr,
    pub(super) ext_authz: SocketAddr,
    pub(super) admin: SocketAddr,
}

impl Gateway {
    /// Starts a gateway and waits until good tokens pass at both doors.
    pub(super) fn start(bench: &Bench<'_>, build: Build) -> Result<Self> {
        Self::start_with(bench, build, "")
    }

    /// The same with further tables in its configuration.
    pub(super) fn start_with(bench: &Bench<'_>, build: Build, tables: &str) -> Result<Self> {
        let addresses = [free_address()?, free_address()?, free_address()?];
        let config = write_config(bench, addresses, tables)?;
        let [forward_auth, ext_authz, admin] = addresses;
        let mut command = bench.cores.for_server(&bench.programs.path(build, "portcullis"));
        command.args(["serve", "--config"]).arg(&config).env("PORTCULLIS_LOG", "warn");
        let server = Server::start_at(command, forward_auth)
            .map_err(|reason| format!("the gateway{}: {reason}", build.suffix()))?;
        let gateway = Self { build, server, forward_auth, ext_authz, admin };
        for token in [&bench.tokens.jwt, &bench.tokens.opaque] {
            until_it_passes(forward_auth, AUTH, &DESCRIPTION, token)?;
            question::until_it_passes(bench, ext_authz, &question::about(&ORDER, token))?;
        }
        Ok(gateway)
    }
}

/// Writes a configuration with one route and one header field for the upstream, and with further tables. The addresses are those of
/// forward-auth, ext_authz and the metrics.
pub(super) fn write_config(bench: &Bench<'_>, addresses: [SocketAddr; 3], tables: &str) -> Result<PathBuf> {
    let [forward_auth, ext_authz, admin] = addresses;
    let (client, secret) = CLIENT;
    write(&bench.folder.join("secret.txt"), secret)?;
    let issuer = &bench.tokens.issuer;
    let text = format!(
        r#"listen = "{forward_auth}"
grpc = "{ext_authz}"
admin = "{admin}"

[[issuers]]
issuer = "{}"
jwks_uri = "{}"
audience = ["{AUDIENCE}"]

[issuers.introspection]
endpoint = "{}"
client_id = "{client}"
client_secret_file = "secret.txt"
mode = "phantom"

[[routes]]
path = "/orders/*"
methods = ["GET"]
scope = ["orders:read"]

[[headers]]
name = "X-Auth-Subject"
claim = "sub"
{tables}"#,
        issuer.issuer(),
        issuer.jwks_uri(),
        issuer.url("/introspect"),
    );
    // Several gateways may run one after another; none reloads its file.
    let file = bench.folder.join(format!("portcullis-{}.toml", forward_auth.port()));
    write(&file, &text)?;
    Ok(file)
}

/// A free address on loopback.
pub(super) fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    listener.map_err(|error| format!("no free port: {error}"))
}

pub(super) fn make_folder(folder: &Path) -> Result {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

pub(super) fn write(file: &Path, text: &str) -> Result {
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

/// Waits until a request with this token is answered 200 or 202.
pub(super) fn until_it_passes(server: SocketAddr, path: &str, fields: &[&str], token: &str) -> Result {
    let bearer = format!("Authorization: Bearer {token}");
    let fields = [fields, &[bearer.as_str()]].concat();
    let started = Instant::now();
    loop {
        let answer = get(server, path, &fields).map_err(|error| format!("no answer: {error}"))?;
        let status = answer.lines().next().unwrap_or("nothing");
        if ["HTTP/1.1 200", "HTTP/1.1 202"].iter().any(|passes| status.starts_with(passes)) {
            return Ok(());
        }
        if started.elapsed() > READY_LIMIT {
            return Err(format!("expected 200 for a good token, got {status}"));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// The whole answer to a request.
pub(super) fn get(server: SocketAddr, path: &str, fields: &[&str]) -> io::Result<String> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(READY_LIMIT))?;
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{fields}\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
