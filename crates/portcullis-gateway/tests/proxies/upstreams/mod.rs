//! Third-party servers against hostile targets: all of them must serve as public every request that the gateway lets
//! pass as public, and each must agree with its model in `routes/upstreams.rs`.
//!
//! `cargo xtask setup` installs them, and puts their folder in `PORTCULLIS_UPSTREAMS`.

#[path = "../../../src/routes/upstreams.rs"]
#[allow(dead_code, reason = "models of servers that do not run here, and steps for random ones")]
mod models;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::{
    client::try_ask,
    process::{Process, free_ports},
    scene::repository,
};

/// The names of the servers' models.
const NAMES: [&str; 19] = [
    "nginx",
    "nginx without merge_slashes",
    "Caddy",
    "Envoy",
    "Envoy, slashes unescaped",
    "WHATWG URL",
    "Node url.parse",
    "Express",
    "Express",
    "http.server of Python",
    "Werkzeug",
    "Starlette",
    "Go path.Clean",
    "Go ServeMux",
    "Go path.Clean",
    "JDK HttpServer",
    "Tomcat",
    "Tomcat, slashes and backslashes allowed",
    "Jetty",
];

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_as_public_is_served_as_public() {
    let stage = Stage::set();
    let gateway = stage.gateway().await;
    let (servers, _processes) = stage.servers().await;
    let mut passing = Vec::new();
    for target in targets() {
        let passes = may_pass(gateway.0, &target).await;
        passing.push((target, passes));
    }
    let asking = servers.into_iter().map(|(name, port)| wrong(name, port, passing.clone()));
    let wrong: Vec<_> = asking.collect::<JoinSet<_>>().join_all().await.concat();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    let passed = passing.iter().filter(|(_, passes)| *passes).count();
    assert!(passed > 10, "only {passed} passed: the targets prove nothing");
}

/// Returns the targets that a server must not serve, or serves unlike its model. In the pair of a target, true means that
/// it passes as public.
async fn wrong(name: &'static str, port: u16, targets: Vec<(String, bool)>) -> Vec<String> {
    let model = models::UPSTREAMS.iter().find(|(model, _)| *model == name).expect("a model").1;
    let mut wrong = Vec::new();
    for (target, passes) in targets {
        let Some(served) = served(port, &target).await else { continue };
        if passes && served != "public" {
            wrong.push(format!("{target} passes, and {name} serves it under {served:?}"));
        }
        if (name == "Jetty" && target.contains(';')) || (target.starts_with("http") && served.is_empty()) {
            // No model covers the segments that Jetty counts beside parameters; and not every server takes the absolute
            // form.
            continue;
        }
        let expected = model(&target).as_deref().map(part);
        if expected.as_deref() != Some(&served) {
            wrong.push(format!("{name} serves {target} under {served:?}, its model under {expected:?}"));
        }
    }
    wrong
}

/// Returns targets that some server may take for one below `/admin`, and others that are below `/public` on every
/// server.
fn targets() -> Vec<String> {
    let names = [
        "x", "a%2fb", "a%252fb", "a%5cb", "a\\b", "a;b", "a;%2fb", "a%3bb", "a/", "a%2f", ".", "%2e", "a%23", "a%3f",
        "a.",
    ];
    let ups = [
        "..",
        "../..",
        "%2e%2e/%2e%2e",
        ".%2E",
        "%252e%252e/..",
        "..%2f..",
        "..%5c..",
        "..\\..",
        "..;/..",
        "..;x/..",
        "..%3b/..",
        "...",
        "....//..",
        "%25%32%65%25%32%65",
        "../%2e%2e/..",
    ];
    let climbing = names.iter().flat_map(|name| ups.iter().map(move |up| format!("/public/{name}/{up}/admin/users")));
    let others = [
        "/public/users",
        "/public/a%20b",
        "/public/a+b",
        "/public/%41",
        "/public/1;v=2",
        "/public/a:b@c",
        "/public/100%25",
        "/public/a%26b",
        "/public/a=b",
        "/public/a,b",
        "/public/b%C3%BCro",
        "/public/a/b/c/d",
        "/public/users?x=/../admin",
        "/public/(a)",
        "/public/~a",
        "//admin/users",
        "///admin/users",
        "//public/admin/users",
        "//host/admin/users",
        "/%2fadmin/users",
        "/%5cadmin/users",
        "/\\admin/users",
        "/%61dmin/users",
        "/%2561dmin/users",
        "/;/admin/users",
        "/admin;x/users",
        "/./admin/users",
        "/admin/../public/users",
        "/admin%2fusers",
        "/admin%252fusers",
        "/public/../admin/users",
        "/public%2f..%2fadmin%2fusers",
        "/public%2f..%2fadmin/users",
        "/public;/../admin/users",
        "/public%00/../admin/users",
        "/public/%c0%ae%c0%ae/admin/users",
        "/public/%u002e%u002e/admin/users",
        "/public/%ef%bc%8e%ef%bc%8e/admin/users",
        "/public/..%ef%bc%8fadmin/users",
        "http://host/public/../admin/users",
        "http://host//admin/users",
        "http://host/%61dmin/users",
    ];
    climbing.chain(others.map(str::to_owned)).collect()
}

/// Returns true if the gateway lets a request pass without a token.
async fn may_pass(port: u16, target: &str) -> bool {
    let fields = [("X-Original-Method", "GET"), ("X-Original-URI", target)];
    try_ask(port, "GET /auth", &fields).await.unwrap().status == 200
}

/// Returns the part of an application that answers; none if the server refuses, or redirects.
async fn served(port: u16, target: &str) -> Option<String> {
    // Some close without an answer.
    let answer = try_ask(port, &format!("GET {target}"), &[]).await.ok()?;
    (answer.status == 200).then(|| part(&answer.body))
}

/// Returns the first segment of a path, if it is one of the two that exist.
fn part(path: &str) -> String {
    let first =
        path.split('/').find(|segment| !segment.is_empty()).filter(|_| !path.starts_with("//")).unwrap_or_default();
    if ["admin", "public"].contains(&first) { first.to_owned() } else { String::new() }
}

struct Stage {
    folder: TempDir,
}

impl Stage {
    fn set() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    async fn gateway(&self) -> (u16, Process) {
        let [port] = free_ports();
        let config = format!(
            "listen = \"127.0.0.1:{port}\"\nadmin = false\n[[issuers]]\nissuer = \"http://127.0.0.1:1\"\n\
             [[routes]]\npath = \"/public/*\"\npublic = true\n[[routes]]\npath = \"/admin/*\"\n[[routes]]\npath = \
             \"/*\"\n"
        );
        fs::write(self.path("portcullis.toml"), config).unwrap();
        (port, self.started("portcullis serve --config portcullis.toml", &[port]).await)
    }

    /// Starts the servers; returns the port of each, and the programs.
    async fn servers(&self) -> (Vec<(&'static str, u16)>, Vec<Process>) {
        let ports: [u16; 19] = free_ports();
        let here = repository().join("crates/portcullis-gateway/tests/proxies/upstreams");
        let express = repository().join("crates/portcullis-node");
        let [nginx, caddy, envoy, node, python, go, java] =
            [&ports[0..2], &ports[2..3], &ports[3..5], &ports[5..9], &ports[9..12], &ports[12..15], &ports[15..19]];
        for (file, ports) in [("nginx.conf", nginx), ("Caddyfile", caddy), ("envoy.yaml", envoy)] {
            let text = fs::read_to_string(here.join(file)).unwrap();
            let place =
                |text: String, (at, port): (usize, &u16)| text.replace(&format!("PORT_{at}"), &port.to_string());
            fs::write(self.path(file), ports.iter().enumerate().fold(text, place)).unwrap();
        }
        needs("node", "--version", "Node.js");
        needs("go", "version", "Go (Debian's golang-go)");
        needs("java", "-version", "a JDK (Debian's default-jdk-headless)");
        needs(upstreams().join("bin/python"), "--version", "the Python packages (`cargo xtask setup`)");
        let program = self.path("go-upstreams");
        let built = Command::new("go").args(["build", "-o"]).arg(&program).arg(here.join("main.go")).status();
        assert!(built.is_ok_and(|status| status.success()), "main.go cannot be built");
        let here = here.display();
        let python_program = upstreams().join("bin/python");
        let jars = upstreams().join("java");
        let lines = [
            (format!("nginx -p . -c {}", self.path("nginx.conf").display()), nginx),
            ("caddy run --config Caddyfile".to_owned(), caddy),
            ("envoy -c envoy.yaml --use-dynamic-base-id --log-level error".to_owned(), envoy),
            (format!("node {here}/node.mjs {} {}", express.display(), arguments(node)), node),
            (format!("{} {here}/python.py {}", python_program.display(), arguments(python)), python),
            (format!("{} {}", program.display(), arguments(go)), go),
            (format!("java -cp '{}/*' {here}/Upstreams.java {}", jars.display(), arguments(java)), java),
        ];
        let mut processes = Vec::new();
        for (line, ports) in &lines {
            processes.push((Process::typed(line, self.folder.path()), *ports));
        }
        let mut listening = Vec::new();
        for (process, ports) in processes {
            listening.push(all_listening(process, ports).await);
        }
        (NAMES.into_iter().zip(ports).collect(), listening)
    }

    async fn started(&self, line: &str, ports: &[u16]) -> Process {
        all_listening(Process::typed(line, self.folder.path()), ports).await
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

async fn all_listening(mut process: Process, ports: &[u16]) -> Process {
    for port in ports {
        process = process.listening(*port).await;
    }
    process
}

fn arguments(ports: &[u16]) -> String {
    ports.iter().map(u16::to_string).collect::<Vec<_>>().join(" ")
}

/// Returns the folder of the programs installed for these tests.
fn upstreams() -> PathBuf {
    let folder = std::env::var_os("PORTCULLIS_UPSTREAMS").map(PathBuf::from);
    folder.expect("PORTCULLIS_UPSTREAMS names no folder: run `cargo xtask test`, which sets it up")
}

/// Fails if a program is missing, with the package to install.
fn needs(program: impl AsRef<Path>, version: &str, what: &str) {
    let program = program.as_ref();
    let there = Command::new(program).arg(version).output().is_ok_and(|output| output.status.success());
    assert!(there, "{} does not run: install {what}", program.display());
}
