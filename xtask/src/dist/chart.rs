//! The Helm chart: packed, and rendered to the flat manifest `deploy/kubernetes.yaml`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Purpose, addresses::REPOSITORY};
use crate::{
    Result, kubernetes,
    shell::{files, program, root, run as run_command, run_reading},
    steps::Steps,
};

const CHART: &str = "deploy/helm/portcullis";
const VALUES: &str = "deploy/helm/values/manifest.yaml";
const MANIFEST: &str = "deploy/kubernetes.yaml";

/// The first lines of the manifest.
const HEAD: &str = "\
# The gateway for a proxy in the same cluster: `kubectl apply -f deploy/kubernetes.yaml`
#
# To fill in: the image, the issuer, and the networks and labels of the proxies. Create the secrets beforehand:
#
#     kubectl create secret generic portcullis --from-file=client-secret --from-file=store-secret
#
# Made of the chart in deploy/helm by `cargo xtask dist chart --write`.

";

/// The name of the packed chart.
const FILE: &str = concat!("portcullis-", env!("CARGO_PKG_VERSION"), ".tgz");

/// The time of all files in the packed chart: the first day of 1980.
const TIME: &str = "@315532800";

/// Packs the chart. The manifest is written, or else compared.
pub(super) fn run(write: bool, purpose: Purpose) -> Result {
    kubernetes::set_up_helm()?;
    if write {
        fs::write(root().join(MANIFEST), manifest()?).map_err(|error| format!("{MANIFEST}: {error}"))?;
    }
    is_rendered()?;
    let packed = pack(&purpose.folder().join("chart"))?;
    run_command(program(kubernetes::helm()).args(["lint", "--strict", "--quiet", "--values", VALUES]).arg(&packed))?;
    println!("packed {}", packed.strip_prefix(root()).unwrap_or(&packed).display());
    Ok(())
}

/// The file that [`run`] packs.
pub(super) fn packed(purpose: Purpose) -> PathBuf {
    purpose.folder().join("chart").join(FILE)
}

/// Adds the step to `cargo xtask test`.
pub(crate) fn add_to(steps: &mut Steps) {
    steps.run("the manifest is that of the chart", is_rendered);
}

/// Fails if the manifest differs from the rendering.
fn is_rendered() -> Result {
    let (wanted, path) = (manifest()?, root().join(MANIFEST));
    let found = fs::read_to_string(&path).map_err(|error| format!("{MANIFEST}: {error}"))?;
    match difference(&wanted, &found) {
        None => Ok(()),
        Some(line) => Err(format!(
            "expected {MANIFEST} as rendered from {CHART} with {VALUES}, got another line {line}: run `cargo xtask dist chart --write`"
        )),
    }
}

/// The number of the first line that differs.
fn difference(wanted: &str, found: &str) -> Option<usize> {
    let mut pairs = wanted.lines().zip(found.lines());
    let differing = pairs.position(|(wanted, found)| wanted != found);
    let shorter = || wanted.lines().count().min(found.lines().count());
    (wanted != found).then(|| differing.unwrap_or_else(shorter) + 1)
}

/// The text of the manifest.
fn manifest() -> Result<String> {
    let mut helm = program(kubernetes::helm());
    let rendered = run_reading(helm.args(["template", "portcullis", CHART, "--values", VALUES]))?;
    Ok(flat(&rendered))
}

/// Returns a rendering with the manifest's head, and without helm's names of templates.
fn flat(rendered: &str) -> String {
    let lines = rendered.lines().filter(|line| !line.starts_with("# Source: "));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    format!("{HEAD}{}", text.trim_start_matches("---\n"))
}

/// Packs the chart with the licences, and returns the file. `helm package` would write the time of packing into it; this gives the
/// same bytes each time.
fn pack(folder: &Path) -> Result<PathBuf> {
    let stage = folder.join("portcullis");
    super::empty(folder)?;
    let licences = ["LICENSE-APACHE", "LICENSE-MIT"].map(|name| (name.to_owned(), stage.join(name)));
    let below = |file: String| {
        let to = stage.join(file.strip_prefix(CHART).unwrap_or(&file).trim_start_matches('/'));
        (file, to)
    };
    for (file, to) in files([CHART])?.into_iter().map(below).chain(licences) {
        let copy = || {
            fs::create_dir_all(to.parent().unwrap_or(folder))?;
            fs::copy(root().join(&file), &to)
        };
        copy().map_err(|error| format!("{file}: {error}"))?;
    }
    let file = stage.join("Chart.yaml");
    let write = || fs::write(&file, with_repository(fs::read_to_string(&file)?, REPOSITORY));
    write().map_err(|error| format!("{}: {error}", file.display()))?;
    let packed = folder.join(FILE);
    let mut tar = program("tar");
    tar.args(["--create", "--format=ustar", "--sort=name", "--owner=0", "--group=0", "--numeric-owner"]);
    tar.args(["--mode=u=rwX,go=rX", "--mtime", TIME, "--use-compress-program=gzip -n"]);
    run_command(tar.arg("--file").arg(&packed).arg("--directory").arg(folder).arg("portcullis"))?;
    fs::remove_dir_all(&stage).map_err(|error| format!("{}: {error}", stage.display()))?;
    Ok(packed)
}

/// Returns Chart.yaml with the repository, if it has an address.
fn with_repository(chart: String, address: &str) -> String {
    if address.is_empty() { chart } else { format!("{chart}home: {address}\nsources:\n  - {address}\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chart_names_the_repository_that_has_an_address() {
        let (chart, address) = ("name: portcullis\n", "https://git.example.com/team/portcullis");
        let named = format!("{chart}home: {address}\nsources:\n  - {address}\n");
        assert_eq!(with_repository(chart.to_owned(), address), named);
        assert_eq!(with_repository(chart.to_owned(), ""), chart);
    }

    #[test]
    fn the_chart_has_the_version_of_the_workspace() {
        let chart = fs::read_to_string(root().join(CHART).join("Chart.yaml")).unwrap();
        for key in ["version", "appVersion"] {
            let line = format!("\n{key}: {}\n", env!("CARGO_PKG_VERSION"));
            assert!(chart.contains(&line), "expected{line}in Chart.yaml, got:\n{chart}");
        }
    }

    #[test]
    fn the_manifest_has_a_head_and_no_names_of_templates() {
        let rendered = "---\n# Source: portcullis/templates/a.yaml\nkind: A\n---\n# Source: b\n# B.\nkind: B\n";
        assert_eq!(flat(rendered), format!("{HEAD}kind: A\n---\n# B.\nkind: B\n"));
    }

    #[test]
    fn the_first_line_that_differs_is_named() {
        for (wanted, found, line) in [
            ("a\nb\n", "a\nb\n", None),
            ("a\nb\n", "a\nc\n", Some(2)),
            ("a\nb\n", "a\n", Some(2)),
            ("a\n", "a\nb\n", Some(2)),
            ("a\n", "a", Some(2)),
        ] {
            assert_eq!(difference(wanted, found), line, "{wanted:?} {found:?}");
        }
    }
}
