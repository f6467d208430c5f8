//! `cargo xtask dist npm`: the npm packages, built for each platform, installed in an empty folder, and run on each Node.

use std::{
    env::consts::{ARCH, OS},
    fs,
    path::{Path, PathBuf},
};

use super::{
    cross,
    packages::{self, PACKAGES, Package},
    platform::Platform,
    runtimes::{self, Runtime},
};
use crate::{
    Result, setup,
    shell::{self, program, run as run_command},
    steps::Steps,
    test::{Counts, counted},
};

/// The tests of packed packages.
const TESTS: [&str; 2] = ["commonjs.test.cjs", "modules.test.mjs"];

/// Runs the command for these platforms; for all if there are none.
pub(super) fn run(only: &[Platform]) -> Result {
    if (OS, ARCH) != ("linux", "x86_64") {
        return Err(format!("expected Linux on x86_64, got {OS} on {ARCH}: run it there"));
    }
    let platforms = if only.is_empty() { &Platform::ALL } else { only };
    let folder = super::folder().join("npm");
    let (binaries, mut counts, mut steps) = (folder.join("binaries"), Counts::default(), Steps::new(true));
    steps.run("setup", || {
        super::empty(&folder)?;
        super::make(&binaries)?;
        setup::for_packed()
    });
    for platform in platforms {
        steps.run(&format!("build {platform}"), || build(*platform, &binaries));
    }
    steps.run("pack", || packages::pack(&folder, |_| binaries.clone()));
    for platform in platforms {
        steps.run(&format!("run {platform}"), || {
            run_on(&runtimes::of(*platform)?, &installed(&folder, Some(*platform))?, &mut counts)
        });
    }
    let left_out: Vec<_> = Platform::ALL.iter().filter(|platform| !platforms.contains(platform)).collect();
    for platform in left_out {
        println!("not built, as --only says: {platform}");
    }
    println!("not built here, and untested: the targets for macOS and Windows in package.json");
    counts.print();
    steps.finish()
}

/// Packs and tries the binaries that the npm package's scripts built for this machine.
pub(super) fn run_here() -> Result {
    let (mut counts, mut steps) = (Counts::default(), Steps::new(false));
    steps.run("setup", setup::for_packed);
    add_to(&mut steps, &mut counts);
    counts.print();
    steps.finish()
}

/// Adds the step to `cargo xtask test`, for the binaries that its steps for the npm package build.
pub(crate) fn add_to(steps: &mut Steps, counts: &mut Counts) {
    steps.run("npm package: packed", || {
        let folder = shell::root().join("target/packed");
        super::empty(&folder)?;
        packages::pack(&folder, Package::folder)?;
        run_on(&runtimes::installed()?, &installed(&folder, None)?, counts)
    });
}

/// Builds the binaries of all packages for this platform, under the names that the packages have for them.
fn build(platform: Platform, binaries: &Path) -> Result {
    cross::set_up(platform)?;
    for package in PACKAGES {
        let built = cross::build(package.of_rust, platform)?;
        let name = package.binary(&platform.to_string());
        fs::copy(built, binaries.join(&name)).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

/// Installs the tarballs in an empty folder, without a registry, for a platform or for this machine, and returns the folder.
fn installed(from: &Path, platform: Option<Platform>) -> Result<PathBuf> {
    let name = platform.map_or_else(|| "here".to_owned(), |platform| platform.to_string());
    let folder = from.join("installed").join(name);
    super::make(&folder)?;
    for file in ["checks.cjs"].iter().chain(&TESTS) {
        let test = setup::npm_package().join("test/packed").join(file);
        fs::copy(test, folder.join(file)).map_err(|error| format!("{file}: {error}"))?;
    }
    fs::write(folder.join("package.json"), "{ \"private\": true }\n")
        .map_err(|error| format!("package.json: {error}"))?;
    let (main, of_platforms) = packages::tarballs(from)?;
    // npm chooses among optional dependencies, and takes the others for those of this machine.
    for (kind, tarballs) in [("--save-optional", of_platforms), ("--save-prod", main)] {
        let mut npm = program("npm");
        npm.args(["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund"]);
        if let Some(platform) = platform {
            npm.args([
                "--os=linux".to_owned(),
                format!("--cpu={}", platform.cpu()),
                format!("--libc={}", platform.libc()),
            ]);
        }
        run_command(npm.arg("--cache").arg(from.join("no-cache")).arg(kind).args(tarballs).current_dir(&folder))?;
    }
    Ok(folder)
}

/// Runs the tests in this folder on each Node.
fn run_on(runtimes: &[Runtime], folder: &Path, counts: &mut Counts) -> Result {
    for runtime in runtimes {
        for test in TESTS {
            println!("Node {}: {test}", runtime.version);
            let mut node = runtime.command();
            node.args(["--test-reporter=tap", test]).current_dir(folder);
            counted(&mut node, counts, Counts::see_node)
                .map_err(|error| format!("Node {}: {error}", runtime.version))?;
        }
    }
    Ok(())
}
