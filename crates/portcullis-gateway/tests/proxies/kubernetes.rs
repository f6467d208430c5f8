//! The manifests: `deploy/kubernetes.yaml`, and those of `examples/kubernetes` against the schemas of their kinds.
//!
//! `cargo xtask setup` installs the schemas, and puts their folder in `PORTCULLIS_KUBERNETES`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

use crate::scene::repository;

const GATEWAY: &str = "deploy/kubernetes.yaml";

/// The other manifests.
const EXAMPLES: [&str; 6] = [
    "examples/kubernetes/envoy-gateway.yaml",
    "examples/kubernetes/gateway-api.yaml",
    "examples/kubernetes/ingress-nginx.yaml",
    "examples/kubernetes/istio-mesh.yaml",
    "examples/kubernetes/istio.yaml",
    "examples/kubernetes/traefik.yaml",
];

fn text(file: &str) -> String {
    fs::read_to_string(repository().join(file)).unwrap()
}

/// Checks manifests, and returns the mistakes.
pub(crate) fn mistakes(files: &[PathBuf]) -> String {
    let folder = std::env::var_os("PORTCULLIS_KUBERNETES").map(PathBuf::from);
    let folder = folder.expect("PORTCULLIS_KUBERNETES names no folder: run `cargo xtask test`, which sets it up");
    let script = repository().join("crates/portcullis-gateway/tests/proxies/kubernetes/validate.py");
    let output =
        Command::new(folder.join("bin/python")).arg(script).arg(folder.join("definitions")).args(files).output();
    let Output { status, stdout, stderr } = output.unwrap();
    assert!(stderr.is_empty(), "{}", String::from_utf8_lossy(&stderr));
    let told = String::from_utf8(stdout).unwrap();
    assert_eq!(status.success(), told.is_empty(), "{told}");
    told
}

/// Returns the `portcullis.toml` of a ConfigMap.
pub(crate) fn toml_in(manifests: &str) -> String {
    let (_, rest) = manifests.split_once("  portcullis.toml: |2\n").unwrap();
    let (indented, _) = rest.split_once("---\n").unwrap();
    indented.lines().map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line))).collect()
}

/// Has the gateway check a configuration of a pod with these files of secrets, and fails unless it is good and ends in `# end`.
pub(crate) fn accepted(toml: &str, secrets: &[&str]) {
    assert!(toml.trim_end().ends_with("# end"), "{toml}");
    let folder = TempDir::new().unwrap();
    for name in secrets {
        fs::write(folder.path().join(name), "a secret of more than thirty-two bytes").unwrap();
    }
    let file = folder.path().join("portcullis.toml");
    fs::write(&file, toml.replace("/etc/portcullis/secrets", &folder.path().display().to_string())).unwrap();
    let checked =
        Command::new(env!("CARGO_BIN_EXE_portcullis")).arg("check-config").arg("--config").arg(&file).output();
    let checked = checked.unwrap();
    let told = String::from_utf8_lossy(&checked.stdout).into_owned() + &String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{told}\n{toml}");
    assert!(!told.contains("warning"), "{told}\n{toml}");
}

#[test]
fn manifests_meet_the_schemas_of_their_kinds() {
    let files: Vec<_> = EXAMPLES.iter().chain([&GATEWAY]).map(|file| repository().join(file)).collect();
    assert_eq!(mistakes(&files), "");
    let folder = fs::read_dir(repository().join("examples/kubernetes")).unwrap();
    assert_eq!(folder.count(), EXAMPLES.len(), "each manifest is checked");
}

/// Mistakes that a cluster would take without a word, or refuse.
#[test]
fn mistakes_in_manifests_are_found() {
    let folder = TempDir::new().unwrap();
    let mut written = Vec::new();
    for (number, (file, right, wrong)) in [
        (GATEWAY, "readinessProbe:", "readynessProbe:"),
        (GATEWAY, "replicas: 2", "replicas: two"),
        ("examples/kubernetes/envoy-gateway.yaml", "failOpen:", "failopen:"),
        ("examples/kubernetes/envoy-gateway.yaml", "RejectRequest", "Reject"),
        ("examples/kubernetes/gateway-api.yaml", "protocol: GRPC", "protocol: grpc"),
        ("examples/kubernetes/gateway-api.yaml", "backendRef:", "backendRefs:"),
        ("examples/kubernetes/ingress-nginx.yaml", "pathType: Prefix", "path_type: Prefix"),
        ("examples/kubernetes/istio-mesh.yaml", "failOpen:", "failsOpen:"),
        ("examples/kubernetes/istio.yaml", "action: CUSTOM", "action: EXTERNAL"),
        ("examples/kubernetes/istio.yaml", "provider:", "providers:"),
        ("examples/kubernetes/traefik.yaml", "trustForwardHeader:", "trustForwardHeaders:"),
        ("examples/kubernetes/traefik.yaml", "kind: Middleware", "kind: Midleware"),
    ]
    .into_iter()
    .enumerate()
    {
        let text = text(file);
        assert!(text.contains(right), "{file} has no {right}");
        let path = folder.path().join(format!("{number}.yaml"));
        fs::write(&path, text.replacen(right, wrong, 1)).unwrap();
        written.push((path, wrong));
    }
    let files: Vec<_> = written.iter().map(|(path, _)| path.clone()).collect();
    let told = mistakes(&files);
    for (path, wrong) in written {
        let is_told = told.lines().any(|line| line.starts_with(&format!("{}:", path.display())));
        assert!(is_told, "{wrong} is not found:\n{told}");
    }
}

#[test]
fn the_configuration_in_the_manifests_is_good() {
    let manifests = text(GATEWAY);
    let secrets = ["client-secret", "store-secret"];
    for name in secrets {
        assert!(manifests.contains(&format!("--from-file={name}")), "{name}");
    }
    accepted(&toml_in(&manifests), &secrets);
}

#[test]
fn manifests_name_the_ports_of_the_gateway() {
    let gateway = text(GATEWAY);
    for (name, port) in [("http", 9080), ("grpc", 9090)] {
        assert!(gateway.contains(&format!("{{ name: {name}, port: {port} }}")), "{name}");
    }
    for (file, port) in [
        ("envoy-gateway.yaml", "name: portcullis\n        port: 9090"),
        ("gateway-api.yaml", "name: portcullis\n          port: 9090"),
        ("istio-mesh.yaml", "service: portcullis.default.svc.cluster.local\n      port: 9090"),
        ("ingress-nginx.yaml", "http://portcullis.default.svc.cluster.local:9080/auth\n"),
        ("traefik.yaml", "http://portcullis.default.svc.cluster.local:9080/auth\n"),
    ] {
        assert!(text(&Path::new("examples/kubernetes").join(file).display().to_string()).contains(port), "{file}");
    }
}

/// The file provider's tests stand for Traefik's resources.
#[test]
fn the_middleware_of_traefik_is_that_of_its_file() {
    let middleware = |file: &str, from: &str| {
        let text = text(file);
        let lines = text
            .lines()
            .skip_while(|line| line.trim() != from)
            .map(str::trim)
            .skip_while(|line| *line != "forwardAuth:");
        let lines = lines.filter(|line| !line.starts_with('#')).take(5).map(str::to_owned);
        lines.collect::<Vec<_>>().join("\n").replace("127.0.0.1", "portcullis.default.svc.cluster.local")
    };
    let of_cluster = middleware("examples/kubernetes/traefik.yaml", "name: portcullis");
    assert!(of_cluster.contains("authResponseHeaders"), "{of_cluster}");
    assert_eq!(of_cluster, middleware("examples/traefik/dynamic.yaml", "portcullis:"));
    let condition = "!HeaderRegexp(`Upgrade`, `(?i)(http|tls)`)";
    for file in ["examples/kubernetes/traefik.yaml", "examples/traefik/dynamic.yaml"] {
        assert!(text(file).contains(condition), "{file}");
    }
}
