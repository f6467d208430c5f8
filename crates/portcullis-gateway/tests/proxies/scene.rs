//! The programs of `docs/gateway.md`, started on free ports: a copy of `examples/` with these ports in it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use portcullis_testkit::{AuthorizationServer, TokenBuilder};
use tempfile::TempDir;

use crate::{
    client::{Answer, ask},
    docs,
    process::{Process, free_ports, until},
};

/// The proxies; Envoy in three ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proxy {
    Nginx,
    EnvoyByGrpc,
    EnvoyByHttp,
    /// Before two gateways.
    EnvoyBeforeTwo,
    Caddy,
    Traefik,
    Haproxy,
    /// nginx that judges by itself, without a gateway.
    NginxModule,
}

impl Proxy {
    /// Returns the beginning of its line in the documentation.
    pub(crate) fn line(self) -> &'static str {
        match self {
            Self::Nginx => "nginx -p /tmp/portcullis-nginx -c \"$PWD/examples/nginx/",
            Self::NginxModule => "nginx -p /tmp/portcullis-nginx -c \"$PWD/examples/nginx-module/",
            Self::EnvoyByGrpc => "envoy -c examples/envoy/envoy.yaml",
            Self::EnvoyByHttp => "envoy -c examples/envoy/http.yaml",
            Self::EnvoyBeforeTwo => "envoy -c examples/envoy/replicas.yaml",
            Self::Caddy => "caddy run",
            Self::Traefik => "traefik --configfile",
            Self::Haproxy => "haproxy -f",
        }
    }

    /// Returns true if its clients get `Retry-After`.
    pub(crate) fn hands_retry_after_on(self) -> bool {
        self != Self::EnvoyByHttp
    }
}

/// The ports that replace those in the examples.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) proxy: u16,
    pub(crate) upstream: u16,
    pub(crate) authorization: u16,
    pub(crate) redis: u16,
    /// Forward-auth, gRPC and admin of the gateway, or of the first replica.
    pub(crate) gateway: [u16; 3],
    /// The same of the second replica.
    pub(crate) second: [u16; 3],
}

impl Ports {
    fn free() -> Self {
        let [proxy, upstream, authorization, redis, a, b, c, d, e, f] = free_ports();
        Self { proxy, upstream, authorization, redis, gateway: [a, b, c], second: [d, e, f] }
    }

    /// Returns each port with its number in the examples.
    fn written(&self) -> [(u16, u16); 10] {
        let ([a, b, c], [d, e, f]) = (self.gateway, self.second);
        [
            (8080, self.proxy),
            (8000, self.upstream),
            (3001, self.authorization),
            (6379, self.redis),
            (9080, a),
            (9090, b),
            (9081, c),
            (9180, d),
            (9190, e),
            (9181, f),
        ]
    }

    /// Returns an example with these ports. It takes two passes, since a new port may equal another old one.
    pub(crate) fn in_place(&self, text: &str) -> String {
        let mut text = text.to_owned();
        let marked = |port: u16| format!("<port {port}>");
        for (old, _) in self.written() {
            for before in ["127.0.0.1:", "http://:", "https://:", "port_value: ", "?? ", "--port "] {
                text = text.replace(&format!("{before}{old}"), &format!("{before}{}", marked(old)));
            }
        }
        for (old, new) in self.written() {
            text = text.replace(&marked(old), &new.to_string());
        }
        text
    }
}

/// A folder with the examples, and the ports in them.
pub(crate) struct Stage {
    folder: TempDir,
    pub(crate) ports: Ports,
}

impl Stage {
    pub(crate) fn set() -> Self {
        let folder = TempDir::new().unwrap();
        // nginx started by root runs as another user, who needs access.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let stage = Self { folder, ports: Ports::free() };
        for part in ["nginx", "nginx-module", "envoy", "caddy", "traefik", "haproxy", "gateway"] {
            copy(&repository().join("examples").join(part), &stage.path(&format!("examples/{part}")), &stage.ports);
        }
        stage
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Changes a text in an example.
    pub(crate) fn edit(&self, name: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(old), "{name} has no {old}");
        fs::write(self.path(name), text.replace(old, new)).unwrap();
    }

    /// Runs the line of the documentation with this beginning, and waits for the port.
    pub(crate) async fn start(&self, line: &str, port: u16) -> Process {
        let line = self.ports.in_place(&docs::line(line));
        let scratch = self.path("portcullis-nginx");
        fs::create_dir_all(scratch.join("modules")).unwrap();
        let module = scratch.join("modules/ngx_http_portcullis_module.so");
        if let Some(built) = std::env::var_os("PORTCULLIS_NGINX_MODULE").filter(|_| !module.exists()) {
            std::os::unix::fs::symlink(built, module).unwrap();
        }
        let line = line.replace("/tmp/portcullis-nginx", &scratch.display().to_string());
        Process::typed(&line, self.folder.path()).listening(port).await
    }

    pub(crate) async fn authorization(&self) -> AuthorizationServer {
        let address = format!("127.0.0.1:{}", self.ports.authorization);
        AuthorizationServer::builder().listen(address).client("demo", "demo").start().await.unwrap()
    }

    pub(crate) async fn upstream(&self) -> Process {
        self.start("node examples/gateway/echo.mjs", self.ports.upstream).await
    }

    pub(crate) async fn gateway(&self) -> Process {
        self.start("portcullis serve --config examples/gateway/portcullis.toml", self.ports.gateway[1]).await
    }

    /// Starts the first replica or the second.
    pub(crate) async fn replica(&self, number: u8) -> Process {
        let ports = if number == 1 { self.ports.gateway } else { self.ports.second };
        let line = format!("portcullis serve --config examples/gateway/replica-{number}.toml");
        self.start(&line, ports[1]).await
    }

    pub(crate) async fn redis(&self) -> Process {
        self.start("redis-server", self.ports.redis).await
    }

    pub(crate) async fn proxy(&self, proxy: Proxy) -> Process {
        let process = self.start(proxy.line(), self.ports.proxy).await;
        // Traefik listens before it has read its configuration.
        until("the proxy serves", async || ask(self.ports.proxy, "GET /orders/1", &[]).await.status != 404).await;
        process
    }
}

/// A proxy with everything behind it.
pub(crate) struct Scene {
    pub(crate) authorization: AuthorizationServer,
    /// The program that judges; nginx itself with the module.
    pub(crate) gateway: Process,
    _upstream: Process,
    _proxy: Option<Process>,
    pub(crate) stage: Stage,
}

impl Scene {
    pub(crate) async fn with(proxy: Proxy) -> Self {
        Self::on(Stage::set(), proxy).await
    }

    /// Like [`with`](Self::with), with edited examples.
    pub(crate) async fn on(stage: Stage, proxy: Proxy) -> Self {
        Self::started(stage, proxy, async |stage| stage.proxy(proxy).await).await
    }

    /// Like [`on`](Self::on), with the proxy started by a closure.
    pub(crate) async fn started(stage: Stage, proxy: Proxy, start: impl AsyncFnOnce(&Stage) -> Process) -> Self {
        if proxy != Proxy::NginxModule {
            return Self::behind(stage, start).await;
        }
        let (authorization, upstream) = (stage.authorization().await, stage.upstream().await);
        let gateway = start(&stage).await;
        Self { authorization, gateway, _upstream: upstream, _proxy: None, stage }
    }

    /// Sets the scene behind a proxy that a closure starts.
    pub(crate) async fn behind(stage: Stage, proxy: impl AsyncFnOnce(&Stage) -> Process) -> Self {
        let authorization = stage.authorization().await;
        let (upstream, gateway) = (stage.upstream().await, stage.gateway().await);
        let proxy = proxy(&stage).await;
        Self { authorization, gateway, _upstream: upstream, _proxy: Some(proxy), stage }
    }

    /// Returns a token for reading, not yet signed.
    pub(crate) fn read(&self) -> TokenBuilder {
        self.authorization.token().scope("read")
    }

    /// Returns an opaque token for reading.
    pub(crate) fn opaque(&self) -> String {
        self.authorization.issue_opaque(self.read())
    }

    /// Sends a request through the proxy.
    pub(crate) async fn ask(&self, line: &str, token: Option<&str>) -> Answer {
        let field = token.map(|token| format!("Bearer {token}"));
        let fields: Vec<_> = field.iter().map(|field| ("Authorization", field.as_str())).collect();
        ask(self.stage.ports.proxy, line, &fields).await
    }
}

/// Returns the root of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn copy(from: &Path, to: &Path, ports: &Ports) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let text = fs::read_to_string(entry.path()).unwrap();
        fs::write(to.join(entry.file_name()), ports.in_place(&text)).unwrap();
    }
}
