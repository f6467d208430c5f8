//! `cargo xtask setup`: installs missing tools and packages of the checks and tests.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    Result, keycloak, mcp, nginx, npm, page, proxies,
    shell::{self, cargo, output, program, run as run_command},
};

/// A cargo subcommand and its version.
pub(crate) struct Tool(&'static str, &'static str);

const HACK: Tool = Tool("hack", "0.6.46");
const DENY: Tool = Tool("deny", "0.20.2");
pub(crate) const AUDITABLE: Tool = Tool("auditable", "0.7.7");
pub(crate) const SEMVER_CHECKS: Tool = Tool("semver-checks", "0.51.0");
pub(crate) const CYCLONEDX: Tool = Tool("cyclonedx", "0.5.9");
pub(crate) const FUZZ: Tool = Tool("fuzz", "0.13.2");

/// The version of mdBook.
const MDBOOK: &str = "0.5.4";

/// The oldest Node.js for the tests' authorization server: major and minor version.
const NODE: (u32, u32) = (20, 12);

/// The oldest Go that fetches the one that a program needs. Debian 12 has an older one.
const GO: (u32, u32) = (1, 21);

/// Runs the command.
pub(crate) fn run() -> Result {
    for_checks(true)?;
    for_tests()?;
    for_guards()
}

/// Installs the tools of the checks; those for features and dependencies only if `tools` is true.
pub(crate) fn for_checks(tools: bool) -> Result {
    c_compiler()?;
    component("fmt", "rustfmt")?;
    component("clippy", "clippy")?;
    if tools {
        install(&HACK)?;
        install(&DENY)?;
    }
    Ok(())
}

/// Installs the further tools of the tests: curl, the packages of the authorization server and of the npm package, a
/// browser, the gateway's proxies, nginx's headers, Keycloak, and the MCP SDKs.
pub(crate) fn for_tests() -> Result {
    curl()?;
    node()?;
    npm_packages("oidc-provider", &oidc_provider())?;
    npm_packages("the test packages of the npm package", &npm_package())?;
    npm::set_up()?;
    page::set_up()?;
    proxies::set_up()?;
    nginx::set_up()?;
    keycloak::set_up()?;
    mcp::set_up()?;
    for_artefacts()
}

/// Installs the tools that try the artefacts: systemd, containers, and separate machines made of this one.
fn for_artefacts() -> Result {
    runtime("systemd-analyze", "--version", "systemd")?;
    runtime("umoci", "--version", "umoci")?;
    runtime("bwrap", "--version", "bubblewrap")?;
    runtime("pgrep", "--version", "procps")?;
    runtime("nsenter", "--version", "util-linux")
}

/// Installs the tools that pack the npm package and try it: Node, and the build tools of the addon.
pub(crate) fn for_packed() -> Result {
    node()?;
    npm_packages("the build tools of the addon", &npm_package())?;
    npm::set_up()
}

/// Installs the tools of the guards: a C compiler and the counter of instructions.
pub(crate) fn for_guards() -> Result {
    c_compiler()?;
    valgrind()
}

/// Installs the tools of all benchmarks: a C compiler, the HTTP client wrk, and taskset, which assigns cores.
pub(crate) fn for_benchmarks() -> Result {
    c_compiler()?;
    wrk()?;
    taskset()
}

/// Installs the tools of the Express benchmarks: those of all, Express, and the addon's build tools.
pub(crate) fn for_express_benchmarks() -> Result {
    for_benchmarks()?;
    node()?;
    npm_packages("the build tools of the addon", &npm_package())?;
    npm::set_up_nodes()?;
    npm_packages("Express and the peers on it", &shell::root().join("bench/express"))
}

/// Installs the tools of the gateway's benchmarks: those of all, an HTTP/2 client, and Go. The runner installs Envoy and
/// oauth2-proxy.
pub(crate) fn for_gateway_benchmarks() -> Result {
    for_benchmarks()?;
    go()?;
    h2load()
}

/// Installs the tools of the nginx module's benchmarks: those of all, nginx and its headers.
pub(crate) fn for_nginx_benchmarks() -> Result {
    for_benchmarks()?;
    nginx::set_up()
}

/// The Node package of the tests' authorization server.
pub(crate) fn oidc_provider() -> PathBuf {
    shell::root().join("crates/portcullis/tests/oidc-provider")
}

/// The folder of the npm package `portcullis`.
pub(crate) fn npm_package() -> PathBuf {
    shell::root().join("crates/portcullis-node")
}

/// Installs mdBook, which makes the site of the documentation, unless any version of it is installed.
pub(crate) fn mdbook() -> Result {
    if let Some(found) = output(program("mdbook").arg("--version")) {
        return present(&found);
    }
    cargo_install("mdbook", MDBOOK, &["--no-default-features", "--features", "search"])
}

/// Installs a cargo subcommand, unless any version of it is installed.
pub(crate) fn install(&Tool(name, version): &Tool) -> Result {
    let package = format!("cargo-{name}");
    if output(cargo([name]).arg("--version")).is_some() {
        return present(&package);
    }
    cargo_install(&package, version, &[])
}

/// Installs a program from source. Without optimisation it builds in a fraction of the time, and it runs for seconds only; crates that
/// several programs share are compiled once.
fn cargo_install(package: &str, version: &str, options: &[&str]) -> Result {
    println!("setup: installing {package} {version} with cargo install");
    let mut install = cargo(["install", "--locked", "--debug", package, "--version", version]);
    install
        .args(options)
        .env("CARGO_PROFILE_DEV_DEBUG", "none")
        .arg("--target-dir")
        .arg(shell::root().join("target/tools"));
    run_command(&mut install)
        .map_err(|error| format!("cannot install {package} ({error}); check that the package registry is within reach"))
}

fn c_compiler() -> Result {
    if output(program("cc").arg("--version")).is_some() {
        return present("a C compiler");
    }
    // AWS-LC, the cryptographic library, is compiled from C.
    apt_install(&["gcc", "libc6-dev"])
}

fn curl() -> Result {
    if output(program("curl").arg("--version")).is_some() {
        return present("curl");
    }
    apt_install(&["curl", "ca-certificates"])
}

fn valgrind() -> Result {
    if output(program("valgrind").arg("--version")).is_some() {
        return present("valgrind");
    }
    // libc6-dbg has the symbols of the C library, without which valgrind does not start.
    apt_install(&["valgrind", "libc6-dbg"])
}

fn wrk() -> Result {
    // `wrk -v` prints the version, but with a failing exit code.
    if program("wrk").arg("-v").output().is_ok() {
        return present("wrk");
    }
    apt_install(&["wrk"])
}

fn h2load() -> Result {
    if output(program("h2load").arg("--version")).is_some() {
        return present("h2load");
    }
    apt_install(&["nghttp2-client"])
}

fn taskset() -> Result {
    if output(program("taskset").arg("--version")).is_some() {
        return present("taskset");
    }
    apt_install(&["util-linux"])
}

pub(crate) fn apt_install(packages: &[&str]) -> Result {
    let names = packages.join(" ");
    let by_hand = format!("cannot install {names} here: install it by hand, then run this command again");
    let apt = |arguments: &[&str]| {
        let root = output(program("id").arg("-u")).is_some_and(|user| user == "0");
        let mut command = program(if root { "apt-get" } else { "sudo" });
        if !root {
            command.args(["-n", "apt-get"]);
        }
        command.args(arguments);
        command
    };
    if output(&mut apt(&["--version"])).is_none() {
        return Err(by_hand);
    }
    println!("setup: installing {names} with apt-get");
    run_command(&mut apt(&["update", "-q"])).map_err(|_| by_hand.clone())?;
    let mut install = apt(&["install", "-q", "-y", "--no-install-recommends"]);
    run_command(install.args(packages)).map_err(|_| by_hand)
}

fn component(command: &str, component: &str) -> Result {
    if output(cargo([command]).arg("--version")).is_some() {
        return present(component);
    }
    println!("setup: installing {component} with rustup");
    run_command(program("rustup").args(["component", "add", component]))
        .map_err(|error| format!("cannot add the missing {component} ({error}): add it to the Rust toolchain"))
}

fn node() -> Result {
    let (major, minor) = NODE;
    let wanted = format!("install Node.js {major}.{minor} or later with npm, then run this command again");
    let Some(version) = output(program("node").arg("--version")) else {
        return Err(format!("node is missing: {wanted}"));
    };
    if !is_recent(&version, NODE) {
        return Err(format!("node {version} is too old: {wanted}"));
    }
    if output(program("npm").arg("--version")).is_none() {
        return Err(format!("npm is missing: {wanted}"));
    }
    present(&format!("node {version}"))
}

/// Installs Go, if it is missing.
pub(crate) fn go() -> Result {
    runtime("go", "version", "golang-go")?;
    let (major, minor) = GO;
    let version = output(program("go").arg("version")).unwrap_or_default();
    if is_recent(&version, GO) {
        return Ok(());
    }
    Err(format!(
        "expected Go {major}.{minor} or later, got {version}: put a newer one first in PATH, then run this command again"
    ))
}

/// Tells whether the version that a program prints of itself is at least the wanted one.
fn is_recent(version: &str, wanted: (u32, u32)) -> bool {
    let number = version.trim_start_matches("go version ").trim_start_matches("go").trim_start_matches('v');
    let numbers = number.split(['.', ' ']);
    let mut numbers = numbers.map_while(|number| number.parse::<u32>().ok());
    numbers.next().zip(numbers.next()) >= Some(wanted)
}

/// Installs the packages of a folder's lock file, unless they are installed.
pub(crate) fn npm_packages(what: &str, folder: &Path) -> Result {
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
    let lock = read("package-lock.json").ok_or_else(|| format!("{} has no package-lock.json", folder.display()))?;
    // A copy of the lock file shows the packages in the folder.
    let stamp = "node_modules/.installed-lock.json";
    if read(stamp).as_ref() == Some(&lock) {
        return present(what);
    }
    println!("setup: installing {what} with npm ci");
    let npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    run_command(program("npm").args(npm).current_dir(folder))
        .map_err(|error| format!("cannot install {what} ({error}); check that the package registry is within reach"))?;
    fs::write(folder.join(stamp), lock).map_err(|error| format!("cannot write {stamp}: {error}"))
}

/// Installs the wanted packages unless `stamp` lists them, and then writes `stamp`.
pub(crate) fn unless_installed(what: &str, stamp: &Path, wanted: &str, install: impl FnOnce() -> Result) -> Result {
    unless_done(what, stamp, wanted, || {
        install().map_err(|error| {
            format!("cannot install {what} ({error}); check that the package registry is within reach")
        })
    })
}

/// Does some work unless `stamp` holds the wanted text, and then writes `stamp`.
pub(crate) fn unless_done(what: &str, stamp: &Path, wanted: &str, work: impl FnOnce() -> Result) -> Result {
    if fs::read_to_string(stamp).is_ok_and(|done| done == wanted) {
        return present(what);
    }
    work()?;
    fs::write(stamp, wanted).map_err(|error| format!("cannot write {}: {error}", stamp.display()))
}

/// Installs Debian's package of a runtime if it is missing.
pub(crate) fn runtime(name: &str, version: &str, package: &str) -> Result {
    match output(program(name).arg(version)) {
        Some(_) => present(name),
        None => apt_install(&[package]),
    }
}

pub(crate) fn present(what: &str) -> Result {
    println!("setup: {what} is here");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node_and_go() {
        for (version, wanted, recent) in [
            ("v20.12.0", NODE, true),
            ("v20.20.2", NODE, true),
            ("v24.0.1", NODE, true),
            ("v20.11.1", NODE, false),
            ("v18.20.4", NODE, false),
            ("v9.99.0", NODE, false),
            ("nonsense", NODE, false),
            ("", NODE, false),
            ("go version go1.26.8 linux/amd64", GO, true),
            ("go version go1.21 linux/amd64", GO, true),
            ("go version go1.19.8 linux/amd64", GO, false),
            ("go version devel", GO, false),
        ] {
            assert_eq!(is_recent(version, wanted), recent, "{version}");
        }
    }
}
