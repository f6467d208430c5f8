//! `cargo xtask dist image`: the container image, an OCI layout made without a daemon and without a base image.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    cross, empty,
    platform::Platform,
    programs::{self, QUICK, VERSION, archived, copy, time, write},
    write_sums,
};
use crate::{
    Result, setup,
    shell::{output, program, run as run_command, run_reading},
    steps::Steps,
};

/// The platforms with an image.
const PLATFORMS: [Platform; 2] = [Platform::X64Musl, Platform::Arm64Musl];

/// The user of the gateway, who owns nothing in the image.
const USER: &str = "65532:65532";

/// The largest release, in bytes.
const LIMIT: u64 = 20_000_000;

/// Debian's bundle of certificate authorities.
const AUTHORITIES: &str = "etc/ssl/certs/ca-certificates.crt";

/// Runs the command: for one processor if quick.
pub(super) fn run(only: &[Platform], quick: bool) -> Result {
    let platforms = match (quick, only) {
        (true, _) => &[QUICK],
        (false, []) => &PLATFORMS[..],
        (false, only) => only,
    };
    if let Some(other) = platforms.iter().find(|platform| !platform.is_musl()) {
        return Err(format!("expected a platform with musl, whose programs are static, got {other}"));
    }
    let folder = super::folder().join("image");
    let mut steps = Steps::new(false);
    steps.run("setup", || {
        set_up()?;
        empty(&folder)?;
        platforms.iter().try_for_each(|platform| cross::set_up(*platform))
    });
    for platform in platforms {
        steps.run(&format!("image {platform}"), || {
            let file = programs::build(*platform, quick)?;
            let archive = make(&file, *platform, &folder)?;
            if quick { Ok(()) } else { bounded(&archive) }
        });
    }
    steps.run("checksums", || write_sums(&folder.join("archives")));
    steps.finish()
}

fn set_up() -> Result {
    if output(program("umoci").arg("--version")).is_none() {
        setup::apt_install(&["umoci"])?;
    }
    if !Path::new("/").join(AUTHORITIES).is_file() {
        setup::apt_install(&["ca-certificates"])?;
    }
    Ok(())
}

/// Makes the layout of one processor, `layout-amd64`, and packs it in `archives`; returns the archive.
fn make(file: &Path, platform: Platform, folder: &Path) -> Result<PathBuf> {
    let processor = if platform.is_x64() { "amd64" } else { "arm64" };
    let name = format!("layout-{processor}");
    let (layout, layer) = (folder.join(&name), folder.join("layer.tar"));
    root_layer(file, folder, &layer)?;
    run_command(umoci(&["init", "--layout"]).arg(&layout))?;
    let image = format!("{}:{VERSION}", layout.display());
    run_command(&mut umoci(&["new", "--image", &image]))?;
    let created = rfc3339(&time()?)?;
    let history = ["--history.created", created.as_str(), "--history.created_by", "cargo xtask dist image"];
    run_command(umoci(&["raw", "add-layer", "--image", &image]).args(history).arg(&layer))?;
    let mut config = umoci(&["config", "--image", &image, "--no-history", "--created", &created]);
    config.args(["--os", "linux", "--architecture", processor, "--author", env!("CARGO_PKG_AUTHORS")]);
    config.args(["--config.user", USER, "--config.stopsignal", "SIGTERM"]);
    config.args(["--config.entrypoint", "/usr/local/bin/portcullis"]);
    for argument in ["serve", "--config", "/etc/portcullis/portcullis.toml"] {
        config.args(["--config.cmd", argument]);
    }
    run_command(&mut config)?;
    run_command(umoci(&["gc", "--layout"]).arg(&layout))?;
    fs::remove_file(&layer).map_err(|error| format!("{}: {error}", layer.display()))?;
    let archive = folder.join("archives").join(format!("portcullis-{VERSION}-image-{processor}.tar"));
    fs::create_dir_all(folder.join("archives")).map_err(|error| format!("{}: {error}", folder.display()))?;
    // `podman load` and `skopeo copy oci-archive:` look for the layout at the top of the archive.
    archived(&layout, ".", &archive)?;
    print!("{}", run_reading(Command::new("sha256sum").arg(&archive))?);
    Ok(archive)
}

/// Packs the image's root: the static program, certificate authorities and an unprivileged user; no shell.
fn root_layer(file: &Path, folder: &Path, layer: &Path) -> Result {
    let tree = folder.join("root");
    empty(&tree)?;
    copy(file, &tree.join("usr/local/bin/portcullis"), 0o755)?;
    copy(&Path::new("/").join(AUTHORITIES), &tree.join(AUTHORITIES), 0o644)?;
    write(&tree.join("etc/passwd"), b"nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n", 0o644)?;
    write(&tree.join("etc/group"), b"nonroot:x:65532:\n", 0o644)?;
    // The configuration and its secrets are mounted here.
    fs::create_dir_all(tree.join("etc/portcullis")).map_err(|error| format!("{}: {error}", tree.display()))?;
    archived(&tree, ".", layer)?;
    fs::remove_dir_all(&tree).map_err(|error| format!("{}: {error}", tree.display()))
}

/// Fails if the file is larger than an image may be.
fn bounded(file: &Path) -> Result {
    let bytes = fs::metadata(file).map_err(|error| format!("{}: {error}", file.display()))?.len();
    println!("{}: {bytes} bytes", file.display());
    if bytes < LIMIT {
        return Ok(());
    }
    Err(format!("expected an image under {LIMIT} bytes, got {bytes} in {}: look for new dependencies", file.display()))
}

/// A time in seconds since 1970, as in `2026-01-31T12:00:00Z`.
fn rfc3339(seconds: &str) -> Result<String> {
    output(program("date").args(["-u", "-d", &format!("@{seconds}"), "+%Y-%m-%dT%H:%M:%SZ"]))
        .ok_or_else(|| format!("expected seconds since 1970, got {seconds}"))
}

fn umoci(arguments: &[&str]) -> Command {
    let mut umoci = program("umoci");
    umoci.args(arguments);
    umoci
}
