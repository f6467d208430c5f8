//! `cargo xtask dist image`: the container image, an OCI layout made without a daemon and without a base image.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde::{Deserialize, Serialize};

use super::{
    Purpose, empty, inventory,
    platform::Platform,
    programs::{self, TRIAL, VERSION, archived, copy, time, write},
    sha256, write_sums,
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

/// The annotation with the tag of an image in a layout.
const NAME: &str = "org.opencontainers.image.ref.name";

/// The folder with the licences.
const DOCUMENTS: &str = "usr/share/doc/portcullis";

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
    let (layout, archives) = (folder.join("layout"), programs::folder(purpose));
    let mut steps = Steps::new(false);
    steps.run("setup", || {
        set_up()?;
        empty(&folder)?;
        super::make(&archives)?;
        platforms.iter().try_for_each(|platform| programs::set_up(*platform, purpose))?;
        run_command(umoci(&["init", "--layout"]).arg(&layout))
    });
    if purpose == Purpose::Release {
        steps.run("licences and bills of materials", || inventory::write_once(&archives));
    }
    for platform in platforms {
        steps.run(&format!("image {platform}"), || {
            let file = programs::build(*platform, purpose)?;
            let tree = folder.join("root");
            empty(&tree)?;
            if purpose == Purpose::Trial {
                shared_libraries(&file, &tree)?;
            } else {
                let licences = tree.join(DOCUMENTS).join(inventory::LICENCES);
                copy(&archives.join(inventory::LICENCES), &licences, 0o644)?;
            }
            lay_out(&file, &tree)?;
            add(&layout, &tree, *platform)?;
            let archive = pack(&layout, *platform, &archives)?;
            if purpose == Purpose::Trial { Ok(()) } else { bounded(&archive) }
        });
    }
    steps.run("one image for all processors", || join(&layout, platforms));
    steps.run("checksums", || write_sums(&archives));
    steps.finish()
}

fn set_up() -> Result {
    setup::runtime("umoci", "--version", "umoci")?;
    if !Path::new("/").join(AUTHORITIES).is_file() {
        setup::apt_install(&["ca-certificates"])?;
    }
    Ok(())
}

/// The tag of the image for one processor.
fn tag(platform: Platform) -> String {
    format!("{VERSION}-{}", platform.architecture())
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
    config.args(["--os", "linux", "--architecture", platform.architecture(), "--author", env!("CARGO_PKG_AUTHORS")]);
    config.args(["--config.user", USER, "--config.stopsignal", "SIGTERM"]);
    config.args(["--config.entrypoint", "/usr/local/bin/portcullis"]);
    for argument in ["serve", "--config", "/etc/portcullis/portcullis.toml"] {
        config.args(["--config.cmd", argument]);
    }
    run_command(&mut config)?;
    run_command(umoci(&["gc", "--layout"]).arg(layout))?;
    fs::remove_file(&layer).map_err(|error| format!("{}: {error}", layer.display()))
}

/// An index of images, as of a layout (OCI image specification).
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u8,
    #[serde(default = "Index::media_type")]
    media_type: String,
    manifests: Vec<Image>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Image {
    media_type: String,
    digest: String,
    size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<Machine>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Machine {
    os: String,
    architecture: String,
}

impl Index {
    fn media_type() -> String {
        "application/vnd.oci.image.index.v1+json".to_owned()
    }

    /// Reads the index of a layout.
    fn read(layout: &Path) -> Result<Self> {
        let file = layout.join("index.json");
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))
    }

    fn write(&self, file: &Path) -> Result {
        let text = serde_json::to_string(self).map_err(|error| error.to_string())?;
        write(file, text.as_bytes(), 0o644)
    }
}

impl Image {
    fn is_tagged(&self, tag: &str) -> bool {
        self.annotations.get(NAME).is_some_and(|name| name == tag)
    }

    /// The same image with another tag, or none.
    fn tagged(mut self, tag: Option<&str>) -> Self {
        self.annotations = tag.map(|tag| (NAME.to_owned(), tag.to_owned())).into_iter().collect();
        self
    }
}

/// Packs the image of one processor alone into the folder of archives, and returns the archive. `podman load` and `skopeo copy oci-archive:`
/// look for the layout at the top of it.
fn pack(layout: &Path, platform: Platform, archives: &Path) -> Result<PathBuf> {
    let alone = layout.with_file_name("alone");
    run_command(program("cp").arg("-R").arg(layout).arg(&alone))?;
    // podman takes the whole of it as the image's name.
    let named = format!("localhost/portcullis:{VERSION}");
    let mut index = Index::read(&alone)?;
    index.manifests.retain(|image| image.is_tagged(&tag(platform)));
    index.manifests = index.manifests.into_iter().map(|image| image.tagged(Some(&named))).collect();
    index.write(&alone.join("index.json"))?;
    run_command(umoci(&["gc", "--layout"]).arg(&alone))?;
    let archive = archives.join(format!("portcullis-{VERSION}-image-{}.tar", platform.architecture()));
    archived(&alone, ".", &archive)?;
    fs::remove_dir_all(&alone).map_err(|error| format!("{}: {error}", alone.display()))?;
    print!("{}", run_reading(Command::new("sha256sum").arg(&archive))?);
    Ok(archive)
}

/// Adds an index of all processors' images under the version alone: registries hand out the one that fits.
fn join(layout: &Path, platforms: &[Platform]) -> Result {
    let mut index = Index::read(layout)?;
    let mut joined = Index { schema_version: 2, media_type: Index::media_type(), manifests: Vec::new() };
    for platform in platforms {
        let image = index.manifests.iter().find(|image| image.is_tagged(&tag(*platform))).cloned();
        let image = image.ok_or_else(|| format!("expected the image of {platform} in {}", layout.display()))?;
        let machine = Machine { os: "linux".to_owned(), architecture: platform.architecture().to_owned() };
        joined.manifests.push(Image { platform: Some(machine), ..image.tagged(None) });
    }
    let unnamed = layout.join("blobs/sha256/new");
    joined.write(&unnamed)?;
    let size = fs::read(&unnamed).map_err(|error| format!("{}: {error}", unnamed.display()))?.len();
    let sum = sha256(&unnamed)?;
    fs::rename(&unnamed, unnamed.with_file_name(&sum)).map_err(|error| format!("{}: {error}", unnamed.display()))?;
    let whole = Image {
        media_type: Index::media_type(),
        digest: format!("sha256:{sum}"),
        size,
        platform: None,
        annotations: BTreeMap::new(),
    };
    index.manifests.push(whole.tagged(Some(VERSION)));
    index.write(&layout.join("index.json"))
}

/// Writes the image's root: the program, certificate authorities and an unprivileged user; no shell.
fn lay_out(file: &Path, tree: &Path) -> Result {
    copy(file, &tree.join("usr/local/bin/portcullis"), 0o755)?;
    copy(&Path::new("/").join(AUTHORITIES), &tree.join(AUTHORITIES), 0o644)?;
    for name in ["LICENSE-APACHE", "LICENSE-MIT"] {
        copy(&shell::root().join(name), &tree.join(DOCUMENTS).join(name), 0o644)?;
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
