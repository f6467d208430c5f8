//! `cargo xtask dist programs`: the gateway for each platform, in an archive and in a package of Debian.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use super::{Purpose, cross, deb, inventory, platform::Platform};
use crate::{
    Result,
    shell::{files, output, program, root, run as run_command, run_reading},
    steps::Steps,
    test::workspace_tests,
};

pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The platform of trials, which is this machine's.
pub(super) const TRIAL: Platform = Platform::X64Gnu;

/// The subcommands with a man page of their own.
const PAGES: [&str; 8] = ["serve", "init", "check-config", "explain", "keys", "resource", "completions", "man"];

/// The documents for users of the gateway: the program names some of them.
const DOCUMENTS: [&str; 10] = [
    "docs/*.md",
    ":!docs/SUMMARY.md",
    ":!docs/benchmarks*",
    ":!docs/profile.md",
    ":!docs/releasing.md",
    "examples/caddy",
    "examples/envoy",
    "examples/haproxy",
    "examples/nginx",
    "examples/traefik",
];

/// The name of completions in an archive, by the shell's.
const COMPLETIONS: [(&str, &str); 3] = [("bash", "portcullis"), ("zsh", "_portcullis"), ("fish", "portcullis.fish")];

/// Runs the command for these platforms; for all if there are none.
pub(super) fn run(only: &[Platform], purpose: Purpose) -> Result {
    let platforms = match (purpose, only) {
        (Purpose::Trial, _) => &[TRIAL],
        (Purpose::Release, []) => &Platform::ALL[..],
        (Purpose::Release, only) => only,
    };
    let printer = platforms.iter().find(|platform| platform.is_x64());
    let printer =
        *printer.ok_or("expected a platform linux-x64 in --only, got none: its program prints the man pages")?;
    let folder = folder(purpose);
    let mut steps = Steps::new(false);
    steps.run("setup", || {
        super::empty(&folder)?;
        platforms.iter().try_for_each(|platform| set_up(*platform, purpose))
    });
    if purpose == Purpose::Release {
        steps.run("licences and bills of materials", || inventory::write(&folder));
    }
    for platform in platforms {
        steps.run(&format!("build {platform}"), || build(*platform, purpose).map(drop));
    }
    for platform in platforms {
        steps.run(&format!("pack {platform}"), || pack(*platform, printer, purpose));
    }
    steps.run("checksums", || super::write_sums(&folder));
    steps.finish()
}

/// Installs the missing tools of [`build`].
pub(super) fn set_up(platform: Platform, purpose: Purpose) -> Result {
    match purpose {
        Purpose::Release => cross::set_up(platform),
        Purpose::Trial => Ok(()),
    }
}

/// Builds the gateway, and returns its file. For a trial it is the program of the tests.
pub(super) fn build(platform: Platform, purpose: Purpose) -> Result<PathBuf> {
    if purpose == Purpose::Release {
        return cross::build_program("portcullis-gateway", "portcullis", platform);
    }
    // With the features of the other tests, so that nothing is compiled again. The program is built with tests that run it.
    run_command(workspace_tests()?.args(["--test", "proxies", "--no-run"]))?;
    let stripped = purpose.folder().join("portcullis");
    run_command(program("strip").arg("-o").arg(&stripped).arg(root().join("target/debug/portcullis")))?;
    Ok(stripped)
}

/// Packs the archive of a platform, and with glibc the package of Debian of its processor.
fn pack(platform: Platform, printer: Platform, purpose: Purpose) -> Result {
    let folder = folder(purpose);
    let tree = folder.join(format!("portcullis-{VERSION}-{platform}"));
    lay_out(&tree, &build(platform, purpose)?, &build(printer, purpose)?)?;
    if purpose == Purpose::Release {
        copy(&folder.join(inventory::LICENCES), &tree.join(inventory::LICENCES), 0o644)?;
    }
    compressed(&tree, purpose)?;
    if !platform.is_musl() {
        deb::pack(&tree, platform, purpose)?;
    }
    fs::remove_dir_all(&tree).map_err(|error| format!("{}: {error}", tree.display()))
}

/// Packs a folder into a `.tar.gz` beside it.
pub(super) fn compressed(tree: &Path, purpose: Purpose) -> Result {
    let (Some(below), Some(name)) = (tree.parent(), tree.file_name().and_then(OsStr::to_str)) else {
        return Err(format!("expected a folder to pack, got {}", tree.display()));
    };
    let archive = below.join(format!("{name}.tar"));
    archived(below, name, &archive)?;
    run_command(program("gzip").args(["-n", purpose.compression(), "-f"]).arg(&archive))
}

/// Writes the contents of an archive into a folder. `printer` is a program for this machine.
fn lay_out(tree: &Path, file: &Path, printer: &Path) -> Result {
    let print = |arguments: &[&str], to: PathBuf| {
        let text = run_reading(program(printer).args(arguments))?;
        write(&to, text.as_bytes(), 0o644)
    };
    copy(file, &tree.join("portcullis"), 0o755)?;
    print(&["man"], tree.join("man/portcullis.1"))?;
    for page in PAGES {
        print(&["man", page], tree.join(format!("man/portcullis-{page}.1")))?;
    }
    for (shell, name) in COMPLETIONS {
        print(&["completions", shell], tree.join("completions").join(name))?;
    }
    for file in ["LICENSE-APACHE", "LICENSE-MIT"] {
        copy(&root().join(file), &tree.join(file), 0o644)?;
    }
    copy(&root().join("crates/portcullis-gateway/README.md"), &tree.join("README.md"), 0o644)?;
    for file in ["portcullis.toml", "client-secret"] {
        copy(&root().join("examples/gateway").join(file), &tree.join("examples").join(file), 0o644)?;
    }
    for file in documents()? {
        copy(&root().join(&file), &tree.join(&file), 0o644)?;
    }
    copy(&root().join("deploy/portcullis.service"), &tree.join("portcullis.service"), 0o644)
}

/// The paths of the documents, in the sources as in the archives.
pub(super) fn documents() -> Result<Vec<String>> {
    files(DOCUMENTS)
}

/// Packs a folder into a tar archive with the same bytes each time: names in order, one owner, one time, modes without the umask.
pub(super) fn archived(below: &Path, name: &str, archive: &Path) -> Result {
    let mut tar = program("tar");
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX", "--format=gnu"]);
    tar.arg(format!("--mtime=@{}", time()?)).arg("-C").arg(below).arg("-cf").arg(archive).arg(name);
    run_command(&mut tar)
}

/// The time of the commit, which all packed files have, in seconds since 1970.
pub(super) fn time() -> Result<String> {
    output(program("git").args(["log", "-1", "--format=%ct"]))
        .ok_or_else(|| "expected a commit, got none: run this in a clone with git".to_owned())
}

/// Copies a file, with folders for it, and sets its mode.
pub(super) fn copy(from: &Path, to: &Path, mode: u32) -> Result {
    let bytes = fs::read(from).map_err(|error| format!("{}: {error}", from.display()))?;
    write(to, &bytes, mode)
}

/// Writes a file, with folders for it, and sets its mode.
pub(super) fn write(file: &Path, bytes: &[u8], mode: u32) -> Result {
    let folder = file.parent().unwrap_or(file);
    let write = || {
        fs::create_dir_all(folder)?;
        fs::write(file, bytes)?;
        set_mode(file, mode)
    };
    write().map_err(|error| format!("{}: {error}", file.display()))
}

#[cfg(unix)]
fn set_mode(file: &Path, mode: u32) -> std::io::Result<()> {
    fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) -> std::io::Result<()> {
    Ok(())
}

/// The folder with the archives and packages of Debian.
pub(super) fn folder(purpose: Purpose) -> PathBuf {
    purpose.folder().join("programs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_have_the_documents_that_the_program_names() {
        let documents = documents().unwrap();
        let has = |path: &str| documents.iter().any(|file| Path::new(file).starts_with(path));
        for named in ["docs/gateway.md", "docs/providers", "docs/providers/entra.md", "examples/nginx/nginx.conf"] {
            assert!(has(named), "expected {named} among the documents, got none");
        }
        for other in
            ["docs/releasing.md", "docs/profile.md", "docs/benchmarks.md", "docs/images", "examples/nginx-module"]
        {
            assert!(!has(other), "expected no {other} among the documents, got one");
        }
    }
}
