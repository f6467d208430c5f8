//! Tarballs of npm packages: a main package with the JavaScript, and a package for each platform with a binary.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use clap::ValueEnum;

use super::{addresses::REPOSITORY, machine, platform::Platform};
use crate::{
    Result, kept, setup,
    shell::{output, program, root, run as run_command},
};

/// A main package. Its binaries have its name, too.
#[derive(Clone, Copy)]
pub(super) struct Package {
    name: &'static str,
    /// The package of Rust with the binary, and the name of its folder.
    pub(super) of_rust: &'static str,
}

/// All main packages.
pub(super) const PACKAGES: [Package; 2] = [
    Package { name: "portcullis", of_rust: "portcullis-node" },
    Package { name: "portcullis-testkit", of_rust: "portcullis-node-testkit" },
];

/// The version of all packages.
const VERSION: &str = env!("CARGO_PKG_VERSION");

const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

impl Package {
    /// The folder of the source.
    pub(super) fn folder(self) -> PathBuf {
        root().join("crates").join(self.of_rust)
    }

    /// The file name of the binary for a platform.
    pub(super) fn binary(self, platform: &str) -> String {
        format!("{}.{platform}.node", self.name)
    }
}

/// Packs all packages into `folder`, with the binaries in the folder of each, and writes their checksums.
pub(super) fn pack(folder: &Path, binaries: impl Fn(Package) -> PathBuf) -> Result {
    for package in PACKAGES {
        Stage::new(package, &folder.join("stage").join(package.name))?.pack(&binaries(package), folder)?;
    }
    super::write_sums(folder)
}

/// The tarballs in this folder: those of the main packages, and those of the platforms.
pub(crate) fn tarballs(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let main = PACKAGES.map(|package| format!("{}-{VERSION}.tgz", package.name));
    let (main, of_platforms): (Vec<_>, Vec<_>) = names(folder)?.into_iter().partition(|name| main.contains(name));
    let paths = |names: Vec<String>| names.iter().map(|name| folder.join(name)).collect();
    Ok((paths(main), paths(of_platforms)))
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".tgz")).collect();
    names.sort();
    Ok(names)
}

/// A copy of a main package as it is published, with a folder `npm` for the packages of platforms.
struct Stage<'a> {
    package: Package,
    folder: &'a Path,
}

impl<'a> Stage<'a> {
    /// Copies the files that `npm pack` takes, and adds the licences.
    fn new(package: Package, folder: &'a Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        npm_pack(&package.folder(), folder)?;
        let tarball = folder.join(format!("{}-{VERSION}.tgz", package.name));
        run_command(program("tar").args(["-xz", "--strip-components=1", "-f"]).arg(&tarball).arg("-C").arg(folder))?;
        fs::remove_file(&tarball).map_err(|error| format!("{}: {error}", tarball.display()))?;
        copy_licences(folder)?;
        // Users need neither.
        run_command(npm(folder).args(["pkg", "delete", "devDependencies", "scripts"]))?;
        let settings = repository(REPOSITORY, package.of_rust);
        if !settings.is_empty() {
            run_command(npm(folder).args(["pkg", "set"]).args(settings))?;
        }
        Ok(Self { package, folder })
    }

    /// Packs the main package and those of the platforms that have binaries.
    fn pack(&self, binaries: &Path, to: &Path) -> Result {
        let mut napi = Command::new(setup::npm_package().join("node_modules/.bin/napi"));
        run_command(napi.args(["create-npm-dirs", "--cwd"]).arg(self.folder))?;
        let mut platforms = 0;
        for platform in folders(&self.folder.join("npm"))? {
            let binary = self.package.binary(&platform);
            if binaries.join(&binary).exists() {
                self.pack_platform(&platform, &binaries.join(&binary), to)?;
                platforms += 1;
            }
        }
        if platforms == 0 {
            return Err(format!("expected binaries of {} in {}, got none", self.package.name, binaries.display()));
        }
        npm_pack(self.folder, to)?;
        check(&to.join(format!("{}-{VERSION}.tgz", self.package.name)), self.folder, |name| {
            Path::new(name)
                .extension()
                .is_some_and(|extension| ["js", "mjs", "ts", "mts"].iter().any(|one| extension == *one))
        })
    }

    fn pack_platform(&self, platform: &str, binary: &Path, to: &Path) -> Result {
        let Package { name, .. } = self.package;
        let folder = self.folder.join("npm").join(platform);
        let file = self.package.binary(platform);
        fs::copy(binary, folder.join(&file)).map_err(|error| format!("{file}: {error}"))?;
        copy_licences(&folder)?;
        let untested = if Platform::from_str(platform, false).is_ok() { "" } else { ". It is untested" };
        let description = format!("description=The binary of {name} for {platform}{untested}");
        let licences = LICENCES.map(|licence| format!("files[]={licence}"));
        run_command(npm(&folder).args(["pkg", "set", &description]).args(licences))?;
        let dependency = format!("optionalDependencies.{name}-{platform}={VERSION}");
        run_command(npm(self.folder).args(["pkg", "set", &dependency]))?;
        npm_pack(&folder, to)?;
        check(&to.join(format!("{name}-{platform}-{VERSION}.tgz")), &folder, |name| name == file)
    }
}

/// Fails if a tarball has other files than those of users, or if a text in it names a folder of this machine.
fn check(tarball: &Path, from: &Path, is_meant: impl Fn(&str) -> bool) -> Result {
    let list = output(program("tar").arg("-tzf").arg(tarball)).ok_or_else(|| format!("no {}", tarball.display()))?;
    let names: Vec<_> = list.lines().map(|name| name.trim_start_matches("package/")).collect();
    kept(&format!("{} has only files for users", tarball.display()), &strangers(&names, is_meant))?;
    let mut named = Vec::new();
    // Binaries are checked where they are built for publishing.
    for name in names.iter().filter(|name| !name.ends_with(".node")) {
        let text = fs::read(from.join(name)).map_err(|error| format!("{name}: {error}"))?;
        named.extend(machine::named_in(name, &text));
    }
    kept(&format!("{} names no folder of this machine", tarball.display()), &named)
}

/// The files that are not for users: tests, sources, and those that nobody meant to publish.
fn strangers(names: &[&str], is_meant: impl Fn(&str) -> bool) -> Vec<String> {
    let is_known = |name: &str| ["package.json", "README.md"].contains(&name) || LICENCES.contains(&name);
    let is_inside =
        |name: &str| name.split('/').any(|part| ["test", "tests", "src", "example", "node_modules"].contains(&part));
    let strange = |name: &&&str| !is_known(name) && (!is_meant(name) || is_inside(name) || name.contains(".test."));
    names.iter().filter(strange).map(|name| (*name).to_owned()).collect()
}

/// The settings that name the repository, if it has an address; packages of platforms take them over. npm compares them with the
/// workflow that publishes.
fn repository(address: &str, of_rust: &str) -> Vec<String> {
    if address.is_empty() {
        return Vec::new();
    }
    let settings =
        [("type", "git".to_owned()), ("url", format!("git+{address}.git")), ("directory", format!("crates/{of_rust}"))];
    settings.map(|(key, value)| format!("repository.{key}={value}")).into()
}

fn copy_licences(to: &Path) -> Result {
    LICENCES.iter().try_for_each(|name| {
        fs::copy(root().join(name), to.join(name)).map(drop).map_err(|error| format!("{name}: {error}"))
    })
}

fn npm(folder: &Path) -> Command {
    let mut npm = program("npm");
    npm.current_dir(folder);
    npm
}

fn npm_pack(folder: &Path, to: &Path) -> Result {
    run_command(npm(folder).args(["pack", "--silent", "--ignore-scripts", "--pack-destination"]).arg(to))
}

/// The names of the folders in this folder.
fn folders(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<_> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_name_the_repository_that_has_an_address() {
        let settings = repository("https://git.example.com/team/portcullis", "portcullis-node");
        assert_eq!(
            settings,
            [
                "repository.type=git",
                "repository.url=git+https://git.example.com/team/portcullis.git",
                "repository.directory=crates/portcullis-node"
            ]
        );
        assert!(repository("", "portcullis-node").is_empty());
    }

    #[test]
    fn files_that_are_not_for_users_are_found() {
        let meant = |name: &str| name.ends_with(".js");
        let names = ["package.json", "README.md", "LICENSE-MIT", "index.js", "lib/guard.js"];
        assert!(strangers(&names, meant).is_empty());
        for name in
            ["src/lib.rs", "Cargo.toml", "test/guard.test.js", "lib/guard.test.js", "src/tool.js", "portcullis.node"]
        {
            assert_eq!(strangers(&[name], meant), [name]);
        }
    }
}
