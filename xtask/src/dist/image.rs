//! `cargo xtask dist image`: the container image, an OCI layout made without a daemon and without a base image.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use super::{
    Purpose, empty, inventory,
    platform::Platform,
    programs::{self, TRIAL, VERSION, archived, copy, time, write},
    write_sums,
};
use crate::{
    Result, setup,
    shell::{self, output, program, run as run_command, run_reading},
    steps::Steps,
};

/// The platforms with an image.
const PLATFORMS: [Platform; 2] = [Platform::X64Musl, Platform::Arm64Musl];

/// The user of the gateway, who owns nothing in the image.
const USER: &str = "65532:65532";

/// The largest release, in bytes.
const LIMIT: u64 = 20_000_000;

/// The annotation with the tag of an image in a layout, and the type of an index (OCI image specification).
const NAME: &str = "org.opencontainers.image.ref.name";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Debian's bundle of certificate authorities.
const AUTHORITIES: &str = "etc/ssl/certs/ca-certificates.crt";

/// Runs the command: for a trial for one processor.
pub(super) fn run(only: &[Platform], purpose: Purpose) -> Result {
    let platforms = match (purpose, only) {
        (Purpose::Trial, _) => &[TRIAL],
        (Purpose::Release, []) => &PLATFORMS[..],
        (Purpose::Release, only) => only,
    };
    if let Some(other) = only.iter().find(|platform| !platform.is_musl()) {
        return Err(format!("expected a platform with musl, whose programs are static, got {other}"));
    }
    let folder = purpose.folder().join("image");
    let layout = folder.join("layout");
    let mut steps = Steps::new(false);
    steps.run("setup", || {
        set_up()?;
        empty(&folder)?;
        platforms.iter().try_for_each(|platform| programs::set_up(*platform, purpose))?;
        run_command(umoci(&["init", "--layout"]).arg(&layout))
    });
    for platform in platforms {
        steps.run(&format!("image {platform}"), || {
            let file = programs::build(*platform, purpose)?;
            let licences = programs::folder(purpose).join(inventory::LICENCES);
            let tree = folder.join("root");
            empty(&tree)?;
            if purpose == Purpose::Trial {
                shared_libraries(&file, &tree)?;
            }
            lay_out(&file, &licences, &tree)?;
            add(&layout, &tree, *platform)?;
            let archive = pack(&layout, *platform, &folder)?;
            if purpose == Purpose::Trial { Ok(()) } else { bounded(&archive) }
        });
    }
    steps.run("one image for all processors", || join(&layout, platforms));
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

/// The processor's name in images and in Debian.
fn processor(platform: Platform) -> &'static str {
    if platform.is_x64() { "amd64" } else { "arm64" }
}

/// The tag of the image for one processor.
fn tag(platform: Platform) -> String {
    format!("{VERSION}-{}", processor(platform))
}

/// Adds the image of one processor, with this folder as its root, to the layout.
fn add(layout: &Path, tree: &Path, platform: Platform) -> Result {
    let layer = layout.with_file_name("layer.tar");
    archived(tree, ".", &layer)?;
    fs::remove_dir_all(tree).map_err(|error| format!("{}: {error}", tree.display()))?;
    let image = format!("{}:{}", layout.display(), tag(platform));
    run_command(&mut umoci(&["new", "--image", &image]))?;
    let created = rfc3339(&time()?)?;
    let history = ["--history.created", created.as_str(), "--history.created_by", "cargo xtask dist image"];
    run_command(umoci(&["raw", "add-layer", "--image", &image]).args(history).arg(&layer))?;
    let mut config = umoci(&["config", "--image", &image, "--no-history", "--created", &created]);
    config.args(["--os", "linux", "--architecture", processor(platform), "--author", env!("CARGO_PKG_AUTHORS")]);
    config.args(["--config.user", USER, "--config.stopsignal", "SIGTERM"]);
    config.args(["--config.entrypoint", "/usr/local/bin/portcullis"]);
    for argument in ["serve", "--config", "/etc/portcullis/portcullis.toml"] {
        config.args(["--config.cmd", argument]);
    }
    run_command(&mut config)?;
    run_command(umoci(&["gc", "--layout"]).arg(layout))?;
    fs::remove_file(&layer).map_err(|error| format!("{}: {error}", layer.display()))
}

/// Packs the image of one processor alone into `archives`, and returns the archive. `podman load` and `skopeo copy oci-archive:`
/// look for the layout at the top of it.
fn pack(layout: &Path, platform: Platform, folder: &Path) -> Result<PathBuf> {
    let alone = folder.join("alone");
    run_command(program("cp").arg("-R").arg(layout).arg(&alone))?;
    let mut index = read(&alone.join("index.json"))?;
    if let Some(manifests) = index["manifests"].as_array_mut() {
        manifests.retain(|manifest| manifest["annotations"][NAME] == tag(platform).as_str());
        manifests.iter_mut().for_each(|manifest| manifest["annotations"][NAME] = VERSION.into());
    }
    write(&alone.join("index.json"), index.to_string().as_bytes(), 0o644)?;
    run_command(umoci(&["gc", "--layout"]).arg(&alone))?;
    let archive = folder.join("archives").join(format!("portcullis-{VERSION}-image-{}.tar", processor(platform)));
    fs::create_dir_all(folder.join("archives")).map_err(|error| format!("{}: {error}", folder.display()))?;
    archived(&alone, ".", &archive)?;
    fs::remove_dir_all(&alone).map_err(|error| format!("{}: {error}", alone.display()))?;
    print!("{}", run_reading(Command::new("sha256sum").arg(&archive))?);
    Ok(archive)
}

/// Adds an index of all processors' images under the version alone: registries hand out the one that fits.
fn join(layout: &Path, platforms: &[Platform]) -> Result {
    let file = layout.join("index.json");
    let mut index = read(&file)?;
    let mut manifests = Vec::new();
    for platform in platforms {
        let found = index["manifests"].as_array().into_iter().flatten();
        let mut found = found.filter(|manifest| manifest["annotations"][NAME] == tag(*platform).as_str());
        let manifest = found.next().ok_or_else(|| format!("expected the image of {platform} in {}", file.display()))?;
        manifests.push(json!({
            "mediaType": manifest["mediaType"],
            "digest": manifest["digest"],
            "size": manifest["size"],
            "platform": { "os": "linux", "architecture": processor(*platform) },
        }));
    }
    let joined = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests }).to_string();
    let unnamed = layout.join("blobs/sha256/new");
    write(&unnamed, joined.as_bytes(), 0o644)?;
    let sum = output(program("sha256sum").arg(&unnamed)).ok_or("cannot run sha256sum")?;
    let sum = sum.split(' ').next().unwrap_or_default();
    fs::rename(&unnamed, unnamed.with_file_name(sum)).map_err(|error| format!("{}: {error}", unnamed.display()))?;
    if let Some(manifests) = index["manifests"].as_array_mut() {
        manifests.push(json!({
            "mediaType": INDEX,
            "digest": format!("sha256:{sum}"),
            "size": joined.len(),
            "annotations": { NAME: VERSION },
        }));
    }
    write(&file, index.to_string().as_bytes(), 0o644)
}

fn read(file: &Path) -> Result<Value> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))
}

/// Writes the image's root: the program, certificate authorities and an unprivileged user; no shell.
fn lay_out(file: &Path, licences: &Path, tree: &Path) -> Result {
    copy(file, &tree.join("usr/local/bin/portcullis"), 0o755)?;
    copy(&Path::new("/").join(AUTHORITIES), &tree.join(AUTHORITIES), 0o644)?;
    for name in ["LICENSE-APACHE", "LICENSE-MIT"] {
        copy(&shell::root().join(name), &tree.join("usr/share/doc/portcullis").join(name), 0o644)?;
    }
    if licences.exists() {
        copy(licences, &tree.join("usr/share/doc/portcullis").join(inventory::LICENCES), 0o644)?;
    }
    write(&tree.join("etc/passwd"), b"nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n", 0o644)?;
    write(&tree.join("etc/group"), b"nonroot:x:65532:\n", 0o644)?;
    // The configuration and its secrets are mounted here.
    super::make(&tree.join("etc/portcullis"))
}

/// Copies the libraries of a program that is not static, and their loader.
fn shared_libraries(file: &Path, tree: &Path) -> Result {
    let listed = run_reading(program("ldd").arg(file))?;
    let words = listed.split_whitespace().filter(|word| word.starts_with('/'));
    words
        .map(Path::new)
        .try_for_each(|library| copy(library, &tree.join(library.strip_prefix("/").unwrap_or(library)), 0o755))
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
