//! The package of Debian: a folder laid out as on the machine, packed by `dpkg-deb`.

use std::{fs, path::Path};

use super::{
    empty,
    platform::Platform,
    programs::{VERSION, copy, time, write},
};
use crate::{
    Result,
    shell::{program, root, run as run_command},
};

/// The files of an archive, and their places on the machine.
const PLACES: [(&str, &str, u32); 6] = [
    ("portcullis", "usr/bin/portcullis", 0o755),
    ("completions/portcullis", "usr/share/bash-completion/completions/portcullis", 0o644),
    ("completions/_portcullis", "usr/share/zsh/vendor-completions/_portcullis", 0o644),
    ("completions/portcullis.fish", "usr/share/fish/vendor_completions.d/portcullis.fish", 0o644),
    ("LICENSE-MIT", "usr/share/doc/portcullis/LICENSE-MIT", 0o644),
    ("LICENSE-APACHE", "usr/share/doc/portcullis/LICENSE-APACHE", 0o644),
];

const CONFIGURATION: &str = "etc/portcullis/portcullis.toml";

/// The scripts that dpkg runs.
const SCRIPTS: [&str; 3] = ["postinst", "prerm", "postrm"];

/// Packs the contents of an archive into this folder, as a package of Debian.
pub(super) fn pack(archive: &Path, platform: Platform, folder: &Path) -> Result {
    let architecture = if platform.is_x64() { "amd64" } else { "arm64" };
    let tree = folder.join("deb");
    empty(&tree)?;
    for (file, place, mode) in PLACES {
        copy(&archive.join(file), &tree.join(place), mode)?;
    }
    pages(&archive.join("man"), &tree.join("usr/share/man/man1"))?;
    let debian = root().join("deploy/debian");
    copy(&debian.join("portcullis.toml"), &tree.join(CONFIGURATION), 0o644)?;
    write(&tree.join("usr/lib/systemd/system/portcullis.service"), unit()?.as_bytes(), 0o644)?;
    write(&tree.join("DEBIAN/control"), control(architecture, platform).as_bytes(), 0o644)?;
    write(&tree.join("DEBIAN/conffiles"), format!("/{CONFIGURATION}\n").as_bytes(), 0o644)?;
    for script in SCRIPTS {
        copy(&debian.join(script), &tree.join("DEBIAN").join(script), 0o755)?;
    }
    // dpkg-deb takes modes as they are, and refuses those of a strict umask.
    run_command(program("chmod").args(["-R", "u=rwX,go=rX"]).arg(&tree))?;
    let package = folder.join(format!("portcullis_{VERSION}_{architecture}.deb"));
    let mut deb = program("dpkg-deb");
    deb.args(["--root-owner-group", "-Zxz", "--build"]).arg(&tree).arg(package).env("SOURCE_DATE_EPOCH", time()?);
    run_command(&mut deb)?;
    fs::remove_dir_all(&tree).map_err(|error| format!("{}: {error}", tree.display()))
}

/// Copies the man pages, compressed as Debian has them.
fn pages(from: &Path, to: &Path) -> Result {
    let entries = fs::read_dir(from).map_err(|error| format!("{}: {error}", from.display()))?;
    for entry in entries.flatten() {
        let page = to.join(entry.file_name());
        copy(&entry.path(), &page, 0o644)?;
        run_command(program("gzip").args(["-n", "-9"]).arg(page))?;
    }
    Ok(())
}

/// The systemd unit, with the program where Debian's packages have theirs, and without the steps by hand at its top.
fn unit() -> Result<String> {
    let file = root().join("deploy/portcullis.service");
    let unit = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let start = unit.find("[Unit]").ok_or("expected [Unit] in deploy/portcullis.service, got none")?;
    Ok(unit.get(start..).unwrap_or_default().replace("/usr/local/bin/", "/usr/bin/"))
}

fn control(architecture: &str, platform: Platform) -> String {
    let libc = if platform.is_musl() { "" } else { "libc6 (>= 2.17), " };
    format!(
        "Package: portcullis\n\
         Version: {VERSION}\n\
         Architecture: {architecture}\n\
         Maintainer: {maintainer}\n\
         Depends: {libc}adduser, ca-certificates\n\
         Section: net\n\
         Priority: optional\n\
         Description: gateway that judges OAuth 2.0 access tokens for a proxy\n \
         Answers nginx, Envoy, Traefik, Caddy and HAProxy: may this request pass?\n",
        maintainer = env!("CARGO_PKG_AUTHORS"),
    )
}
