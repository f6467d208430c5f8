//! Packages of Debian unpacked into a folder, not installed: those of other processors, or of another release.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Result,
    setup::unless_installed,
    shell::{output, program, run as run_command},
};

/// The first release with a musl (1.2.4 or later) that reads relative relocations: the builds of Node for musl need them.
const RELEASE: &str = "trixie";

/// Unpacks these packages for a processor, by Debian's name of it, unless exactly these are there.
pub(super) fn unpack(architecture: &str, packages: &[&str], folder: &Path) -> Result {
    let what = format!("the folder with {} for {architecture}", packages.join(", "));
    let wanted = format!("{RELEASE} {architecture} {}", packages.join(" "));
    make_folder(folder)?;
    unless_installed(&what, &folder.join(".unpacked"), &wanted, || {
        println!("setup: unpacking {} for {architecture}, without installing them", packages.join(", "));
        let apt = Apt::new(architecture, folder.join("apt"))?;
        run_command(apt.command().arg("update"))?;
        run_command(apt.command().arg("download").args(packages).current_dir(&apt.folder))?;
        for package in apt.downloaded()? {
            run_command(program("dpkg-deb").arg("--extract").arg(package).arg(folder))?;
        }
        // Programs look for their loader in /lib.
        run_command(program("ln").args(["-sfn", "usr/lib"]).arg(folder.join("lib")))?;
        fs::remove_dir_all(&apt.folder).map_err(|error| format!("{}: {error}", apt.folder.display()))
    })
}

/// apt-get with lists of its own, so that neither the machine's releases nor its architectures change.
struct Apt {
    architecture: String,
    folder: PathBuf,
}

impl Apt {
    fn new(architecture: &str, folder: PathBuf) -> Result<Self> {
        for name in ["lists/partial", "archives/partial"] {
            make_folder(&folder.join(name))?;
        }
        for (name, text) in
            [("status", String::new()), ("sources.list", format!("deb {} {RELEASE} main\n", registry()?))]
        {
            let file = folder.join(name);
            fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
        }
        Ok(Self { architecture: architecture.to_owned(), folder })
    }

    fn command(&self) -> Command {
        let mut apt = program("apt-get");
        let path = |name: &str| self.folder.join(name).display().to_string();
        for (name, value) in [
            ("APT::Architecture", self.architecture.clone()),
            ("APT::Architectures", self.architecture.clone()),
            ("APT::Sandbox::User", String::new()),
            ("Acquire::Languages", "none".to_owned()),
            ("Dir::Etc::SourceList", path("sources.list")),
            ("Dir::Etc::SourceParts", "/dev/null".to_owned()),
            ("Dir::State::Lists", path("lists")),
            ("Dir::State::Status", path("status")),
            ("Dir::Cache::Archives", path("archives")),
            ("Dir::Cache::PkgCache", String::new()),
            ("Dir::Cache::SrcPkgCache", String::new()),
        ] {
            apt.arg("-o").arg(format!("{name}={value}"));
        }
        apt.arg("-q");
        apt
    }

    fn downloaded(&self) -> Result<Vec<PathBuf>> {
        let entries = fs::read_dir(&self.folder).map_err(|error| format!("{}: {error}", self.folder.display()))?;
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        Ok(paths.filter(|path| path.extension().is_some_and(|extension| extension == "deb")).collect())
    }
}

/// The registry of Debian that apt is set up with.
fn registry() -> Result<String> {
    let mut list = program("apt-get");
    list.args(["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian", "Label: Debian"]);
    let found = output(&mut list).and_then(|uris| Some(uris.lines().next()?.to_owned()));
    found.ok_or_else(|| "expected apt-get with lists of Debian: run this on Debian, after apt-get update".to_owned())
}

fn make_folder(folder: &Path) -> Result {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}
