//! The artefacts in the hands of a newcomer: from `target/dist` alone, in empty folders, each answers 401 and 200.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{crates, platform::Platform, programs};
use crate::{
    Result,
    shell::{cargo, program, root, run as run_command},
    steps::OK,
    test::{Counts, run_tests},
};

/// The code of the newcomer's project, whose tests try the gateway, too.
const API: &str = include_str!("home/api.rs");

/// The arguments of the gateway.
const SERVE: &str = "serve --config \"$FOLDER/portcullis.toml\"";

/// The dependencies that they add, as the README says, and those of its tests.
const ADDED: [&[&str]; 3] = [
    &["portcullis", "axum"],
    &["tokio", "--features", "full"],
    &["--dev", "portcullis-testkit", "reqwest@0.13", "serde_json"],
];

/// Packs the crates, and tries them and the forms of the gateway that are in `target/dist`; returns the word for the table of tests.
pub(super) fn run(counts: &mut Counts) -> Result<&'static str> {
    crates::run(crates::Files::Present)?;
    let folder = root().join("target/home");
    let source = folder.join("source");
    // Compiled dependencies stay: they are found again by the paths of their sources.
    super::empty(&source)?;
    crates::directory_source(&source)?;
    let project = project(&folder, &source)?;
    let forms = forms(&folder.join("forms"))?;
    let mut test = at(&project, ["test", "--offline"]);
    test.arg("--target-dir").arg(folder.join("target"));
    if forms.is_empty() {
        println!("taken home: the crates alone, since `cargo xtask dist programs` and `dist image` have not run");
        test.args(["--", "--skip", "the_gateway_judges"]);
    }
    run_tests(test.env("GATEWAYS", forms.join("\n")), counts)?;
    Ok(if forms.is_empty() { "crates alone" } else { OK })
}

/// Unpacks each form of the gateway for this machine, and returns a line of the shell that starts it, after its name and a tab.
fn forms(folder: &Path) -> Result<Vec<String>> {
    super::empty(folder)?;
    let programs = super::folder().join("programs");
    let mut forms = Vec::new();
    for platform in [Platform::X64Gnu, Platform::X64Musl] {
        let name = format!("portcullis-{}-{platform}", programs::VERSION);
        let archive = programs.join(format!("{name}.tar.gz"));
        if archive.exists() {
            run_command(program("tar").arg("-xzf").arg(&archive).arg("-C").arg(folder))?;
            forms.push(format!("{name}.tar.gz\t{} {SERVE}", folder.join(&name).join("portcullis").display()));
        }
    }
    let package = programs.join(format!("portcullis_{}_amd64.deb", programs::VERSION));
    if package.exists() {
        let unpacked = folder.join("deb");
        run_command(program("dpkg-deb").arg("-x").arg(&package).arg(&unpacked))?;
        forms.push(format!("the package of Debian\t{} {SERVE}", unpacked.join("usr/bin/portcullis").display()));
    }
    let layout = super::folder().join("image/layout-amd64");
    if layout.exists() {
        let bundle = folder.join("image");
        let image = format!("{}:{}", layout.display(), programs::VERSION);
        run_command(program("umoci").args(["unpack", "--rootless", "--image", &image]).arg(&bundle))?;
        forms.push(format!("the image\t{}", in_a_container(&bundle.join("rootfs"))));
    }
    Ok(forms)
}

/// The start of the gateway in the root of an image, which it cannot write to, as a user without rights.
fn in_a_container(root: &Path) -> String {
    let root = root.display();
    format!(
        "bwrap --unshare-user --unshare-pid --unshare-ipc --uid 65532 --gid 65532 --ro-bind {root} / \
         --ro-bind \"$FOLDER\" /etc/portcullis --die-with-parent /usr/local/bin/portcullis serve --config /etc/portcullis/portcullis.toml"
    )
}

/// Makes the newcomer's project, with dependencies from a directory source alone.
fn project(folder: &Path, source: &Path) -> Result<PathBuf> {
    let project = folder.join("orders");
    super::empty(&project)?;
    // Not a member of the workspace that it is in.
    write(&project.join("Cargo.toml"), "[package]\nname = \"orders\"\nedition = \"2024\"\n\n[workspace]\n")?;
    super::make(&project.join("src"))?;
    write(&project.join("src/main.rs"), API)?;
    super::make(&project.join(".cargo"))?;
    let source = source.display();
    write(
        &project.join(".cargo/config.toml"),
        &format!("[source.crates-io]\nreplace-with = \"home\"\n\n[source.home]\ndirectory = \"{source}\"\n"),
    )?;
    ADDED.iter().try_for_each(|added| run_command(at(&project, ["add", "--quiet"]).args(*added)))?;
    Ok(project)
}

fn at<const N: usize>(project: &Path, arguments: [&str; N]) -> Command {
    let mut cargo = cargo(arguments);
    cargo.current_dir(project);
    cargo
}

fn write(file: &Path, text: &str) -> Result {
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}
