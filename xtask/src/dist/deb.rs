//! The package of Debian: a folder laid out as on the machine, packed by `dpkg-deb`.

use std::{fs, path::Path};

use super::{
    Purpose, empty, inventory,
    platform::Platform,
    programs::{self, VERSION, copy, time, write},
};
use crate::{
    Result,
    shell::{program, root, run as run_command},
};

/// The files of an archive, and their places on the machine.
const PLACES: [(&str, &str, u32); 4] = [
    ("portcullis", "usr/bin/portcullis", 0o755),
    ("completions/portcullis", "usr/share/bash-completion/completions/portcullis", 0o644),
    ("completions/_portcullis", "usr/share/zsh/vendor-completions/_portcullis", 0o644),
    ("completions/portcullis.fish", "usr/share/fish/vendor_completions.d/portcullis.fish", 0o644),
];

const CONFIGURATION: &str = "etc/portcullis/portcullis.toml";

/// The scripts that dpkg runs.
const SCRIPTS: [&str; 3] = ["postinst", "prerm", "postrm"];

/// Packs the contents of an archive as a package of Debian, beside the archives.
pub(super) fn pack(archive: &Path, platform: Platform, purpose: Purpose) -> Result {
    let folder = programs::folder(purpose);
    let architecture = platform.architecture();
    let tree = folder.join("deb");
    empty(&tree)?;
    for (file, place, mode) in PLACES {
        copy(&archive.join(file), &tree.join(place), mode)?;
    }
    let documents = tree.join("usr/share/doc/portcullis");
    licences(archive, &documents)?;
    for file in programs::documents()? {
        copy(&archive.join(&file), &documents.join(&file), 0o644)?;
    }
    pages(&archive.join("man"), &tree.join("usr/share/man/man1"))?;
    let debian = root().join("deploy/debian");
    copy(&debian.join("portcullis.toml"), &tree.join(CONFIGURATION), 0o644)?;
    write(&tree.join("usr/lib/systemd/system/portcullis.service"), unit()?.as_bytes(), 0o644)?;
    let control = control(&Control {
        package: "portcullis",
        architecture,
        depends: "libc6 (>= 2.17), adduser, ca-certificates",
        section: "net",
        description: "gateway that judges OAuth 2.0 access tokens for a proxy",
        more: "Answers nginx, Envoy, Traefik, Caddy and HAProxy: may this request pass?",
    });
    write(&tree.join("DEBIAN/control"), control.as_bytes(), 0o644)?;
    write(&tree.join("DEBIAN/conffiles"), format!("/{CONFIGURATION}\n").as_bytes(), 0o644)?;
    for script in SCRIPTS {
        copy(&debian.join(script), &tree.join("DEBIAN").join(script), 0o755)?;
    }
    build(&tree, &folder.join(format!("portcullis_{VERSION}_{architecture}.deb")), purpose)
}

/// Copies the licences of an archive into the folder of the package's documents, with Debian's file about them.
pub(super) fn licences(archive: &Path, documents: &Path) -> Result {
    copy(&root().join("deploy/debian/copyright"), &documents.join("copyright"), 0o644)?;
    for file in ["LICENSE-MIT", "LICENSE-APACHE", inventory::LICENCES] {
        let text = archive.join(file);
        // Trials have no list of crates.
        if text.exists() {
            copy(&text, &documents.join(file), 0o644)?;
        }
    }
    Ok(())
}

/// Packs a folder that is laid out as on the machine, and deletes it.
pub(super) fn build(tree: &Path, package: &Path, purpose: Purpose) -> Result {
    // dpkg-deb takes modes as they are, and refuses those of a strict umask.
    run_command(program("chmod").args(["-R", "u=rwX,go=rX"]).arg(tree))?;
    let mut deb = program("dpkg-deb");
    deb.args(["--root-owner-group", if purpose == Purpose::Trial { "-Zgzip" } else { "-Zxz" }, "--build"])
        .arg(tree)
        .arg(package)
        .env("SOURCE_DATE_EPOCH", time()?);
    run_command(&mut deb)?;
    fs::remove_dir_all(tree).map_err(|error| format!("{}: {error}", tree.display()))
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

/// The fields of a package that differ.
pub(super) struct Control<'a> {
    pub(super) package: &'a str,
    pub(super) architecture: &'a str,
    pub(super) depends: &'a str,
    pub(super) section: &'a str,
    /// One line.
    pub(super) description: &'a str,
    /// Another line.
    pub(super) more: &'a str,
}

/// The text of the file `control`.
pub(super) fn control(fields: &Control<'_>) -> String {
    let Control { package, architecture, depends, section, description, more } = fields;
    format!(
        "Package: {package}\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: {maintainer}\nDepends: {depends}\n\
         Section: {section}\nPriority: optional\nDescription: {description}\n {more}\n",
        // Debian sorts `~` before the end, as a pre-release is before its release.
        version = VERSION.replace('-', "~"),
        maintainer = env!("CARGO_PKG_AUTHORS"),
    )
}
