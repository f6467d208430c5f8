//! `cargo xtask publish`: hands the artefacts of `target/dist` to registries. For the workflow of a release, which has the credentials.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use clap::Subcommand;

use crate::{
    Result,
    dist::{self, addresses},
    shell::{self, cargo, output, program, run as run_command},
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The crates, each after those that it needs.
const CRATES: [&str; 3] = ["portcullis-testkit", "portcullis", "portcullis-gateway"];

/// The kinds of artefacts.
#[derive(Subcommand)]
pub(crate) enum Part {
    /// Sign the checksums, and add all files to the release of this version's tag
    Files,
    /// Publish the crates
    Crates,
    /// Publish the npm packages with their provenance, those of the platforms first
    Npm,
    /// Push the container image, and sign it
    Image,
    /// Push the Helm chart
    Chart,
}

/// A command that publishes something.
struct Step {
    command: Command,
    /// A question that prints something if the command has run before: registries take no version twice.
    done: Option<Command>,
}

impl From<Command> for Step {
    fn from(command: Command) -> Self {
        Self { command, done: None }
    }
}

impl Step {
    fn unless(command: Command, done: Command) -> Self {
        Self { command, done: Some(done) }
    }

    /// Runs the command, unless it is done; returns whether it ran.
    fn run(&mut self) -> Result<bool> {
        if self.done.as_mut().and_then(output).is_some_and(|answer| !answer.is_empty()) {
            println!("published already: {}", shown(&self.command));
            return Ok(false);
        }
        run_command(&mut self.command).map(|()| true)
    }
}

/// Runs the command; with `dry_run` it only prints the commands that it would run, and needs no credentials. Run again, it leaves out
/// what is published.
pub(crate) fn run(part: &Part, dry_run: bool) -> Result {
    for mut step in steps(part)? {
        if dry_run {
            println!("{}", shown(&step.command));
        } else {
            step.run()?;
        }
    }
    Ok(())
}

/// The steps, in order. Files must be in `target/dist`.
fn steps(part: &Part) -> Result<Vec<Step>> {
    match part {
        Part::Files => files(&dist().join("programs")),
        Part::Crates => Ok(CRATES.map(publish_crate).into()),
        Part::Npm => npm(&dist().join("npm")),
        Part::Image => Ok(image(present("IMAGE", addresses::IMAGE)?, &dist().join("image/layout"))),
        Part::Chart => Ok(chart(present("CHARTS", addresses::CHARTS)?, &dist().join("chart"))),
    }
}

/// Publishes a crate.
fn publish_crate(name: &str) -> Step {
    Step::unless(
        cargo(["publish", "--locked", "--no-verify", "-p", name]),
        // Without the registry's name the answer would be about the workspace.
        cargo(["info", "--registry", "crates-io", &format!("{name}@{VERSION}")]),
    )
}

/// Signs the checksums, and adds all files of the folder to a release. Crates, npm packages, image and chart are in registries.
fn files(folder: &Path) -> Result<Vec<Step>> {
    let (sums, bundle) = (folder.join("SHA256SUMS"), folder.join("SHA256SUMS.sigstore.json"));
    if !sums.exists() {
        return Err(format!("expected {}, got none: run `cargo xtask dist`", sums.display()));
    }
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<_> = files.filter(|file| file.is_file() && *file != bundle).collect();
    files.sort();
    let mut sign = program("cosign");
    sign.args(["sign-blob", "--yes", "--bundle"]).args([&bundle, &sums]);
    let tag = format!("v{VERSION}");
    let gh = |arguments: &[&str]| {
        let mut gh = program("gh");
        gh.arg("release").args(arguments);
        gh
    };
    let create = Step::unless(gh(&["create", &tag, "--verify-tag", "--title", &tag]), gh(&["view", &tag]));
    let mut upload = gh(&["upload", &tag, "--clobber"]);
    upload.args(files).arg(bundle);
    Ok(vec![sign.into(), create, upload.into()])
}

/// Publishes the packages of platforms before those that depend on them.
fn npm(folder: &Path) -> Result<Vec<Step>> {
    let (main, of_platforms) = dist::npm_tarballs(folder)?;
    if main.is_empty() || of_platforms.is_empty() {
        return Err(format!("expected npm packages in {}, got none: run `cargo xtask dist npm`", folder.display()));
    }
    let publish = |file: &PathBuf| {
        let mut npm = program("npm");
        npm.args(["publish", "--provenance", "--access", "public"]).arg(file);
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let name = name.trim_end_matches(&format!("-{VERSION}.tgz"));
        let mut view = program("npm");
        view.args(["view", &format!("{name}@{VERSION}"), "version"]);
        Step::unless(npm, view)
    };
    Ok(of_platforms.iter().chain(&main).map(publish).collect())
}

/// Logs in with the variables REGISTRY_USER and REGISTRY_TOKEN, pushes the image of all processors, and signs it.
fn image(address: &str, layout: &Path) -> Vec<Step> {
    let digest = layout.with_file_name("digest");
    let mut copy = program("skopeo");
    copy.args(["copy", "--all", "--digestfile"]).arg(&digest);
    copy.arg(format!("oci:{}:{VERSION}", layout.display())).arg(format!("docker://{address}:{VERSION}"));
    let mut sign = program("sh");
    sign.args(["-c", r#"cosign sign --yes "$0@$(cat "$1")""#, address]).arg(digest);
    let login = login("skopeo login --compat-auth-file $HOME/.docker/config.json", address);
    [login, copy, sign].map(Step::from).into()
}

fn chart(address: &str, folder: &Path) -> Vec<Step> {
    let mut push = program("helm");
    push.arg("push").arg(folder.join(format!("portcullis-{VERSION}.tgz"))).arg(format!("oci://{address}"));
    [login("helm registry login", address), push].map(Step::from).into()
}

/// Logs in to a registry. The token goes by standard input: others can read the arguments of a process.
fn login(tool: &str, address: &str) -> Command {
    let mut login = program("sh");
    let line = r#"printf %s "$REGISTRY_TOKEN" | eval "$0" --username "$REGISTRY_USER" --password-stdin "$1""#;
    login.args(["-c", line, tool, address.split('/').next().unwrap_or(address)]);
    login
}

fn dist() -> PathBuf {
    shell::root().join("target/dist")
}

/// A command as a line.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Fails if an address is missing.
fn present(name: &str, address: &'static str) -> Result<&'static str> {
    if address.is_empty() {
        return Err(format!(
            "expected {name} in xtask/src/dist/addresses.rs, got none: docs/releasing.md tells how to get one"
        ));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with these empty files, and the lines of the commands for it, without the folder.
    fn lines(name: &str, files: &[&str], steps: fn(&Path) -> Result<Vec<Step>>) -> Result<Vec<String>> {
        let folder = std::env::temp_dir().join(format!("portcullis-xtask-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        files.iter().for_each(|file| fs::write(folder.join(file), "").unwrap());
        let steps = steps(&folder);
        fs::remove_dir_all(&folder).unwrap();
        let below = format!("{}/", folder.display());
        Ok(steps?.iter().map(|step| shown(&step.command).replace(&below, "")).collect())
    }

    #[test]
    fn a_step_that_is_done_is_left_out_and_one_that_nobody_knows_of_is_not() {
        let line = |line: &str| {
            let mut shell = program("sh");
            shell.args(["-c", line]);
            shell
        };
        for (done, runs) in [("echo 0.1.0", false), ("true", true), ("exit 1", true), ("echo 0.1.0; exit 1", true)] {
            assert_eq!(Step::unless(line("true"), line(done)).run(), Ok(runs), "{done}");
        }
        assert!(Step::unless(line("exit 1"), line("exit 1")).run().is_err());
        let asked: Vec<_> = CRATES.map(publish_crate).into_iter().filter_map(|step| Some(shown(&step.done?))).collect();
        assert!(asked[1].ends_with(&format!("info --registry crates-io portcullis@{VERSION}")), "{asked:?}");
    }

    #[test]
    fn the_checksums_are_signed_before_all_files_are_released() {
        let written = ["SHA256SUMS", "SHA256SUMS.sigstore.json", "a.tar.gz", "b.deb", "c.cdx.json"];
        let tag = format!("v{VERSION}");
        assert_eq!(
            lines("files", &written, files).unwrap(),
            [
                "cosign sign-blob --yes --bundle SHA256SUMS.sigstore.json SHA256SUMS".to_owned(),
                format!("gh release create {tag} --verify-tag --title {tag}"),
                format!(
                    "gh release upload {tag} --clobber SHA256SUMS a.tar.gz b.deb c.cdx.json SHA256SUMS.sigstore.json"
                ),
            ]
        );
        assert!(lines("no-files", &["a.deb"], files).unwrap_err().contains("run `cargo xtask dist`"));
    }

    #[test]
    fn packages_of_platforms_are_published_before_those_that_depend_on_them() {
        let names =
            ["portcullis", "portcullis-testkit", "portcullis-linux-x64-gnu", "portcullis-testkit-linux-x64-gnu"];
        let files = names.map(|name| format!("{name}-{VERSION}.tgz"));
        let lines = lines("npm", &files.each_ref().map(String::as_str), npm).unwrap();
        let published: Vec<_> = lines.iter().filter_map(|line| line.rsplit(' ').next()).collect();
        assert_eq!(published, [&files[2], &files[3], &files[0], &files[1]]);
        assert!(self::lines("no-npm", &[], npm).is_err());
    }

    #[test]
    fn tokens_are_in_no_argument() {
        let layout = Path::new("layout");
        let steps = image("registry.example.com/team/portcullis", layout);
        let [login, copy, sign] = &steps.iter().map(|step| &step.command).collect::<Vec<_>>()[..] else { panic!() };
        assert!(shown(login).ends_with("config.json registry.example.com"), "{}", shown(login));
        assert!(
            shown(copy)
                .ends_with(&format!("oci:layout:{VERSION} docker://registry.example.com/team/portcullis:{VERSION}"))
        );
        assert!(shown(sign).ends_with("registry.example.com/team/portcullis digest"), "{}", shown(sign));
    }
}
