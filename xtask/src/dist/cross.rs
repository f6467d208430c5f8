//! Binaries for other platforms: built with Zig, whose C compiler and linker bring the C libraries of all of them.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use super::{machine, platform::Platform};
use crate::{
    Result,
    proxies::python_packages,
    setup,
    shell::{cargo, output, program, root, run as run_command},
};

/// cargo-zigbuild runs cargo with Zig (the package ziglang) as its C compiler and linker.
const PACKAGES: [&str; 2] = ["cargo-zigbuild==0.24.1", "ziglang==0.17.1"];

/// The oldest glibc of the gnu builds: the oldest that Rust's standard library supports.
const GLIBC: (u32, u32) = (2, 17);

/// Installs the missing tools, and Rust's standard library for this platform.
pub(super) fn set_up(platform: Platform) -> Result {
    setup::install(&setup::AUDITABLE)?;
    python_packages("the folder with Zig", &environment(), &PACKAGES)?;
    let target = platform.target();
    let library = output(program("rustc").args(["--print", "target-libdir", "--target", target]));
    if library.is_some_and(|folder| Path::new(&folder).is_dir()) {
        return Ok(());
    }
    println!("setup: installing Rust's standard library for {target} with rustup");
    run_command(program("rustup").args(["target", "add", target]))
        .map_err(|error| format!("cannot add the missing target {target} ({error}): add it to the Rust toolchain"))
}

/// Builds the C library (cdylib) of a package of the workspace, and returns its file.
pub(super) fn build(package: &str, platform: Platform) -> Result<PathBuf> {
    let mut flags = flags();
    if platform.is_musl() {
        // An addon shares musl with Node.
        flags.push("-C target-feature=-crt-static".to_owned());
    }
    let library = format!("lib{}.so", package.replace('-', "_"));
    built(&["--package", package], "addons", &library, platform, &flags)
}

/// Builds a program of a package of the workspace, and returns its file. With musl it is static.
pub(super) fn build_program(package: &str, name: &str, platform: Platform) -> Result<PathBuf> {
    built(&["--package", package, "--bin", name], "programs", name, platform, &flags())
}

fn built(what: &[&str], folder: &str, file: &str, platform: Platform, flags: &[String]) -> Result<PathBuf> {
    let target = platform.target();
    let folder = root().join("target/cross").join(folder);
    // With a section that lists the crates in the binary, for `cargo audit bin`.
    let mut build = cargo(["auditable", "zigbuild", "--release", "--locked"]);
    let wanted = if platform.is_musl() { target.to_owned() } else { format!("{target}.{}.{}", GLIBC.0, GLIBC.1) };
    build.args(what).args(["--target", &wanted]).arg("--target-dir").arg(&folder);
    build.env("PATH", search_path()?).env("RUSTFLAGS", flags.join(" ")).env("CARGO_PROFILE_RELEASE_STRIP", "symbols");
    // It would take precedence over RUSTFLAGS.
    run_command(build.env_remove("CARGO_ENCODED_RUSTFLAGS"))?;
    let file = folder.join(target).join("release").join(file);
    check(&file, platform)?;
    Ok(file)
}

/// Fails if the binary needs a newer C library than the platform has, or names folders of this machine.
fn check(file: &Path, platform: Platform) -> Result {
    if !platform.is_musl() {
        let newest = symbols_of_glibc(file)?;
        if newest > GLIBC {
            return Err(format!("expected at most glibc {GLIBC:?}, got symbols of {newest:?} in {}", file.display()));
        }
        println!("{}: needs glibc {}.{} or later", file.display(), newest.0, newest.1);
    }
    let bytes = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    crate::kept("binaries name no folder of this machine", &machine::named_in(&file.display().to_string(), &bytes))
}

/// The oldest glibc that a binary runs with, as in `2.34`.
pub(super) fn needed_glibc(file: &Path) -> Result<String> {
    symbols_of_glibc(file).map(|(major, minor)| format!("{major}.{minor}"))
}

/// The newest version of glibc whose symbols a binary needs.
fn symbols_of_glibc(file: &Path) -> Result<(u32, u32)> {
    let mut symbols = program("objdump");
    let symbols = output(symbols.arg("-T").arg(file)).ok_or("cannot run objdump: install Debian's binutils")?;
    newest_glibc(&symbols).ok_or_else(|| format!("expected symbols of glibc in {}", file.display()))
}

/// The newest version of glibc in the output of `objdump -T`.
fn newest_glibc(symbols: &str) -> Option<(u32, u32)> {
    symbols.split("GLIBC_").skip(1).filter_map(version).max()
}

/// The major and minor version at the start of this text.
fn version(text: &str) -> Option<(u32, u32)> {
    let numbers = text.split(|character: char| !character.is_ascii_digit() && character != '.').next()?;
    let mut numbers = numbers.split('.').map_while(|number| number.parse().ok());
    numbers.next().zip(numbers.next())
}

/// The flags of rustc that keep this machine's folders out of the binary.
pub(super) fn flags() -> Vec<String> {
    machine::of_sources().map(|(folder, name)| format!("--remap-path-prefix={folder}={name}")).to_vec()
}

/// The search path with the tools first.
fn search_path() -> Result<OsString> {
    let mut folders = vec![environment().join("bin")];
    folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    env::join_paths(folders).map_err(|error| error.to_string())
}

/// The program that installs further packages of Python's registry.
pub(super) fn pip() -> PathBuf {
    environment().join("bin/pip")
}

fn environment() -> PathBuf {
    root().join("target/zig")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_glibc_counts() {
        let symbols = "\
            0000000000000000      DF *UND*  0000000000000000 (GLIBC_2.2.5) memcpy\n\
            0000000000000000      DF *UND*  0000000000000000 (GLIBC_2.17) clock_gettime\n\
            0000000000000000      DF *UND*  0000000000000000 (GLIBC_2.9) pipe2\n\
            0000000000000000  w   D  *UND*  0000000000000000  Base        __gmon_start__\n";
        assert_eq!(newest_glibc(symbols), Some((2, 17)));
        assert_eq!(newest_glibc("0000000000000000  w   D  *UND*  0000000000000000  Base        __gmon_start__"), None);
    }
}
