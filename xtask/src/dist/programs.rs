//! `cargo xtask dist programs`: the gateway for each platform, in an archive and in a package of Debian.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{cross, deb, platform::Platform};
use crate::{
    Result,
    shell::{output, program, root, run as run_command, run_reading},
    steps::Steps,
};

pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The platform of quick builds: its program is static, and runs on this machine.
pub(super) const QUICK: Platform = Platform::X64Musl;

/// The subcommands with a man page of their own.
const PAGES: [&str; 6] = ["serve", "init", "check-config", "explain", "keys", "resource"];

/// The name of completions in an archive, by the shell's.
const COMPLETIONS: [(&str, &str); 3] = [("bash", "portcullis"), ("zsh", "_portcullis"), ("fish", "portcullis.fish")];

/// Runs the command for these platforms; for all if there are none.
pub(super) fn run(only: &[Platform], quick: bool) -> Result {
    let platforms = match (quick, only) {
        (true, _) => &[QUICK],
        (false, []) => &Platform::ALL[..],
        (false, only) => only,
    };
    let printer = platforms.iter().find(|platform| platform.is_x64());
    let printer =
        *printer.ok_or("expected a platform linux-x64 in --only, got none: its program prints the man pages")?;
    let folder = folder();
    let mut steps = Steps::new(false);
    steps.run("setup", || {
        super::empty(&folder)?;
        platforms.iter().try_for_each(|platform| cross::set_up(*platform))
    });
    for platform in platforms {
        steps.run(&format!("build {platform}"), || build(*platform, quick).map(drop));
    }
    for platform in platforms {
        steps.run(&format!("pack {platform}"), || pack(*platform, printer, quick));
    }
    steps.run("checksums", || super::write_sums(&folder));
    steps.finish()
}

/// Builds the gateway, by the dev profile if quick, and returns its file.
pub(super) fn build(platform: Platform, quick: bool) -> Result<PathBuf> {
    cross::build_program("portcullis-gateway", "portcullis", platform, if quick { "dev" } else { "release" })
}

/// Packs the archive of a platform, and the package of Debian of its processor: with glibc, or quick with musl.
fn pack(platform: Platform, printer: Platform, quick: bool) -> Result {
    let name = format!("portcullis-{VERSION}-{platform}");
    let tree = folder().join(&name);
    lay_out(&tree, &built(platform, quick), &built(printer, quick))?;
    let archive = folder().join(format!("{name}.tar"));
    archived(&folder(), &name, &archive)?;
    run_command(program("gzip").args(["-n", "-9", "-f"]).arg(&archive))?;
    if quick || !platform.is_musl() {
        deb::pack(&tree, platform, &folder())?;
    }
    fs::remove_dir_all(&tree).map_err(|error| format!("{}: {error}", tree.display()))
}

/// The file that [`build`] made.
fn built(platform: Platform, quick: bool) -> PathBuf {
    let profile = if quick { "debug" } else { "release" };
    super::folder().join("build-programs").join(platform.target()).join(profile).join("portcullis")
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
    copy(&root().join("deploy/portcullis.service"), &tree.join("portcullis.service"), 0o644)
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

fn folder() -> PathBuf {
    super::folder().join("programs")
}
