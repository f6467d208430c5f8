//! The machine and the versions.

use std::{fs, process::Command};

use harness::{Cores, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    gateway::{ENVOY_PACKAGE, OAUTH2_PROXY_MODULE},
    programs::Node,
    report::Scope,
};

/// The lock file of the benchmarks' workspace at the time of the build.
const LOCK: &str = include_str!("../../Cargo.lock");

/// The lock file of the Express servers.
const NPM_LOCK: &str = include_str!("../../express/package-lock.json");

/// The crates whose versions are on the page.
const CRATES: &[&str] = &[
    "portcullis",
    "jwt-authorizer",
    "tower-oauth2-resource-server",
    "axum-jwt-auth",
    "huskarl-resource-server",
    "huskarl-axum",
    "huskarl-crypto-native",
    "jsonwebtoken",
    "jwt-simple",
    "aws-lc-rs",
    "ring",
    "rsa",
    "axum",
    "actix-web",
    "tonic",
    "hyper",
    "tokio",
];

/// The npm packages whose versions are on the page; the addon is built from this checkout.
const PACKAGES: &[&str] =
    &["express", "express-oauth-jwt", "express-oauth2-jwt-bearer", "jose", "fast-jwt", "get-jwks"];

/// The machine of a run, and the versions of the measured programs.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// A sentence about the cores of client and server.
    pub(crate) cores: String,
    /// The names and values.
    pub(crate) facts: Vec<(String, String)>,
    /// The kind of the packages below.
    pub(crate) packages: String,
    /// Packages and their versions.
    pub(crate) versions: Vec<(String, String)>,
}

impl Machine {
    /// This machine, with the versions for a scope.
    pub(crate) fn this(scope: Scope, cores: &Cores) -> Result<Self> {
        let mut facts = vec![
            ("processor", processor()),
            ("cores", cores_available()),
            ("memory", memory()),
            ("kernel", read("/proc/sys/kernel/osrelease")),
            ("compiler", said_by("rustc", &["--version"])),
            ("client", client()),
            ("date", said_by("date", &["--utc", "+%F"])),
        ];
        match scope {
            Scope::Library => {}
            Scope::Express => {
                facts.push(("Node.js", Node::Newest.said()));
                facts.push(("Node.js with long-term support", Node::Lts.said()));
            }
            Scope::Gateway => {
                facts.push(("client by HTTP/2", said_by("h2load", &["--version"])));
                facts.push(("Envoy", ENVOY_PACKAGE.to_owned()));
                facts.push(("oauth2-proxy", OAUTH2_PROXY_MODULE.to_owned()));
            }
            Scope::Nginx => facts.push(("nginx", nginx())),
        }
        let (packages, versions) = match scope {
            Scope::Express => ("npm package", npm_versions(NPM_LOCK)?),
            Scope::Library | Scope::Gateway | Scope::Nginx => ("crate", crate_versions()),
        };
        Ok(Self {
            cores: cores.description().to_owned(),
            facts: facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            packages: packages.to_owned(),
            versions,
        })
    }
}

fn crate_versions() -> Vec<(String, String)> {
    CRATES.iter().map(|name| ((*name).to_owned(), versions(LOCK, name))).collect()
}

fn processor() -> String {
    let info = read("/proc/cpuinfo");
    let name = value(&info, "model name").unwrap_or("unknown");
    let is_virtual = value(&info, "flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor"));
    if is_virtual { format!("{name}, in a virtual machine") } else { name.to_owned() }
}

fn cores_available() -> String {
    std::thread::available_parallelism().map_or_else(|_| "unknown".to_owned(), |cores| cores.to_string())
}

fn memory() -> String {
    let kib = value(&read("/proc/meminfo"), "MemTotal").and_then(|total| total.split(' ').next()?.parse::<f64>().ok());
    kib.map_or_else(|| "unknown".to_owned(), |kib| format!("{:.1} GiB", kib / 1_048_576.0))
}

/// The version of wrk, which prints it with its usage and fails.
fn client() -> String {
    let said = Command::new("wrk").arg("-v").output().map(|output| output.stdout).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    said.split_once(" Copyright").map_or("wrk", |(version, _)| version).to_owned()
}

/// The version of nginx, which prints it to stderr.
fn nginx() -> String {
    let said = Command::new("nginx").arg("-v").output().map(|output| output.stderr).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    said.trim().strip_prefix("nginx version: ").unwrap_or("unknown").to_owned()
}

fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim())
}

fn read(file: &str) -> String {
    fs::read_to_string(file).map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

pub(crate) fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(|_| "unknown".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// All versions of a crate in a lock file; peers may use different ones.
fn versions(lock: &str, name: &str) -> String {
    let entry = format!("name = \"{name}\"\nversion = \"");
    let versions: Vec<_> = lock.split(&entry).skip(1).filter_map(|rest| rest.split('"').next()).collect();
    versions.join(", ")
}

/// The packages with their versions; a lock file of npm names them by their folders.
fn npm_versions(lock: &str) -> Result<Vec<(String, String)>> {
    let lock: Value = serde_json::from_str(lock).map_err(|error| format!("the lock file of npm: {error}"))?;
    let version = |name: &str| lock["packages"][format!("node_modules/{name}")]["version"].as_str();
    Ok(PACKAGES.iter().map(|name| ((*name).to_owned(), version(name).unwrap_or_default().to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_a_crate() {
        let lock = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"ab\"\nversion = \"2.0.0\"\n\n\
                    [[package]]\nname = \"a\"\nversion = \"3.1.0\"\n";
        assert_eq!(versions(lock, "a"), "1.0.0, 3.1.0");
        assert_eq!(versions(lock, "ab"), "2.0.0");
        assert_eq!(versions(lock, "c"), "");
    }

    #[test]
    fn every_npm_package_has_a_version() {
        let rows = npm_versions(NPM_LOCK).unwrap();
        assert!(rows.iter().all(|(_, version)| version.contains('.')), "{rows:?}");
        assert_eq!(rows.len(), PACKAGES.len());
    }
}
