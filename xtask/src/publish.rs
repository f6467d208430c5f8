//! `cargo xtask publish`: hands the artefacts of `target/dist` to registries. For the workflow of a release, which has the credentials.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
};

use clap::Subcommand;

use crate::{
    Result,
    dist::addresses,
    shell::{self, cargo, program, run as run_command, run_reading},
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The crates, each after those that it needs.
const CRATES: [&str; 3] = ["portcullis-testkit", "portcullis", "portcullis-gateway"];

/// The kinds of artefacts.
#[derive(Subcommand)]
pub(crate) enum Part {
    /// Sign the checksums, and add all files to the release of this version's tag
    Files,
    /// Publish the crates
    Crates,
    /// Publish the npm packages with their provenance, those of the platforms first
    Npm,
    /// Push the container image, and sign it
    Image,
    /// Push the Helm chart
    Chart,
}

/// Runs the command.
pub(crate) fn run(part: &Part) -> Result {
    match part {
        Part::Files => files(),
        Part::Crates => CRATES.iter().try_for_each(|name| run_command(&mut cargo(["publish", "--locked", "-p", name]))),
        Part::Npm => npm(),
        Part::Image => image(),
        Part::Chart => chart(),
    }
}

fn files() -> Result {
    let mut release = Vec::new();
    for sums in found("SHA256SUMS")? {
        let bundle = sums.with_extension("sigstore.json");
        run_command(program("cosign").args(["sign-blob", "--yes", "--bundle"]).args([&bundle, &sums]))?;
        release.extend([sums, bundle]);
    }
    for ending in [".crate", ".tgz", ".tar.gz", ".deb", ".cdx.json"] {
        release.extend(found(ending).unwrap_or_default());
    }
    let tag = format!("v{VERSION}");
    run_command(program("gh").args(["release", "create", &tag, "--verify-tag", "--title", &tag]).args(release))
}

fn npm() -> Result {
    let mut packages = found(".tgz")?;
    packages.retain(|file| file.components().any(|part| part.as_os_str() == "npm"));
    // The main packages have the shortest names: each platform adds its own to them.
    packages.sort_by_key(|file| std::cmp::Reverse(file.as_os_str().len()));
    packages.iter().try_for_each(|file| {
        run_command(program("npm").args(["publish", "--provenance", "--access", "public"]).arg(file))
    })
}

fn image() -> Result {
    let address = present("IMAGE", addresses::IMAGE)?;
    let login = Login::to(address)?;
    let digest = shell::root().join("target/dist/image.digest");
    let mut copy = program("skopeo");
    copy.args(["copy", "--all", "--authfile"]).arg(&login.file).arg("--digestfile").arg(&digest);
    run_command(copy.args(["oci:target/dist/image", &format!("docker://{address}:{VERSION}")]))?;
    let digest = fs::read_to_string(&digest).map_err(|error| format!("{}: {error}", digest.display()))?;
    run_command(program("cosign").args(["sign", "--yes", &format!("{address}@{}", digest.trim())]))
}

fn chart() -> Result {
    let address = present("CHARTS", addresses::CHARTS)?;
    let login = Login::to(address)?;
    let [chart] = &found(&format!("portcullis-{VERSION}.tgz"))?
        .into_iter()
        .filter(|file| file.components().any(|part| part.as_os_str() == "chart"))
        .collect::<Vec<_>>()[..]
    else {
        return Err("expected one chart in target/dist/chart, got none or several: run `cargo xtask dist`".to_owned());
    };
    let mut push = program("helm");
    push.arg("push").arg(chart).arg(format!("oci://{address}")).arg("--registry-config").arg(&login.file);
    run_reading(&mut push).map(drop)
}

/// Fails if an address is missing.
fn present(name: &str, address: &'static str) -> Result<&'static str> {
    if address.is_empty() {
        return Err(format!(
            "expected {name} in xtask/src/dist/addresses.rs, got none: docs/releasing.md tells how to get one"
        ));
    }
    Ok(address)
}

/// The credentials of a registry, in the file where skopeo, cosign and helm find them.
struct Login {
    file: PathBuf,
}

impl Login {
    fn to(address: &str) -> Result<Self> {
        let read = |name| env::var(name).map_err(|_| format!("expected the variable {name}, got none"));
        let (user, token, home) = (read("REGISTRY_USER")?, read("REGISTRY_TOKEN")?, read("HOME")?);
        let file = Path::new(&home).join(".docker/config.json");
        let host = address.split('/').next().unwrap_or(address);
        let mut login = program("skopeo");
        login.args(["login", "--compat-auth-file"]).arg(&file).args(["--username", &user, "--password-stdin", host]);
        let failed = |error| format!("cannot log in to {host} with skopeo: {error}");
        let mut child = login.stdin(Stdio::piped()).spawn().map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(token.as_bytes()).map_err(failed)?;
        }
        let status = child.wait().map_err(failed)?;
        if status.success() {
            Ok(Self { file })
        } else {
            Err(format!("cannot log in to {host}: skopeo ended with {status}"))
        }
    }
}

/// The files in `target/dist` with this ending; fails if there are none.
fn found(ending: &str) -> Result<Vec<PathBuf>> {
    let folder = shell::root().join("target/dist");
    let listed = run_reading(program("find").arg(&folder).args(["-type", "f", "-name", &format!("*{ending}")]))?;
    let mut files: Vec<_> = listed.lines().map(PathBuf::from).collect();
    files.sort();
    if files.is_empty() {
        return Err(format!("expected files `*{ending}` in target/dist, got none: run `cargo xtask dist`"));
    }
    Ok(files)
}
