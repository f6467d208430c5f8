//! The contents of the binaries: bills of materials (CycloneDX), and the licences of the crates in them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{
    platform::Platform,
    programs::{VERSION, time, write as write_file},
};
use crate::{
    Result,
    manifest::NGINX,
    setup,
    shell::{cargo, program, root, run as run_command, run_reading},
};

/// The file with the licences.
pub(super) const LICENCES: &str = "LICENCES-OF-CRATES.txt";

/// The packages with binaries, the names that cargo-cyclonedx gives their bills, and those that we give them.
const BILLS: [(&str, &str, &str); 3] = [
    ("portcullis-gateway", "portcullis_bin", "portcullis"),
    (NGINX, "ngx_http_portcullis_module_cdylib-rlib", "portcullis-nginx"),
    ("portcullis-node", "portcullis_node_cdylib", "portcullis-node"),
];

/// Writes what [`write`] does, unless another part has written it.
pub(super) fn write_once(folder: &Path) -> Result {
    if folder.join(LICENCES).exists() { Ok(()) } else { write(folder) }
}

/// Writes the bills of materials and the licences into a folder.
pub(super) fn write(folder: &Path) -> Result {
    setup::install(&setup::CYCLONEDX)?;
    bills(folder)?;
    let text = licences(&BILLS.map(|(package, ..)| package))?;
    write_file(&folder.join(LICENCES), text.as_bytes(), 0o644)
}

/// Has cargo-cyclonedx write a bill beside each manifest of the workspace; ours are moved, the others deleted.
fn bills(folder: &Path) -> Result {
    let mut bill = cargo(["cyclonedx", "--quiet", "--format", "json", "--spec-version", "1.5"]);
    bill.args(["--describe", "binaries", "--target", Platform::X64Gnu.target()]);
    run_command(bill.env("SOURCE_DATE_EPOCH", time()?))?;
    for (package, from, to) in BILLS {
        let file = root().join("crates").join(package).join(format!("{from}.cdx.json"));
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let text = text.replace(&root().display().to_string(), "/portcullis");
        write_file(&folder.join(format!("{to}-{VERSION}.cdx.json")), text.as_bytes(), 0o644)?;
    }
    let mut written = program("git");
    written.args(["ls-files", "--others", "--ignored", "--exclude=*.cdx.json", "--", ":(exclude)target"]);
    run_reading(&mut written)?.lines().try_for_each(|file| {
        fs::remove_file(root().join(file)).map_err(|error| format!("cannot delete {file}: {error}"))
    })
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    manifest_path: PathBuf,
    /// None for packages of the workspace.
    source: Option<String>,
}

/// Returns the texts of the licences of all crates in the binaries of these packages, each text once, after the crates that have it.
fn licences(packages: &[&str]) -> Result<String> {
    let linked = linked(packages)?;
    let metadata = run_reading(&mut cargo(["metadata", "--format-version=1", "--locked"]))?;
    let metadata: Metadata = serde_json::from_str(&metadata)
        .map_err(|error| format!("cannot read the output of cargo metadata: {error}"))?;
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut without = Vec::new();
    for package in metadata.packages.iter().filter(|package| package.source.is_some()) {
        let name = format!("{} {}", package.name, package.version);
        if !linked.contains(&name) {
            continue;
        }
        let found = texts_in(package.manifest_path.parent().unwrap_or(&package.manifest_path))?;
        if found.is_empty() {
            without.push(format!("{name}: {}", package.license.as_deref().unwrap_or("no licence is named")));
        }
        for text in found {
            texts.entry(text).or_default().push(name.clone());
        }
    }
    Ok(laid_out(&texts, &without))
}

/// The names and versions of the crates that are linked into binaries of these packages, on any Linux.
fn linked(packages: &[&str]) -> Result<BTreeSet<String>> {
    let mut tree = cargo(["tree", "--locked", "--edges=normal", "--prefix=none", "--format={p}"]);
    for package in packages {
        tree.args(["--package", package]);
    }
    for platform in Platform::ALL {
        tree.args(["--target", platform.target()]);
    }
    let lines = run_reading(&mut tree)?;
    let crates = lines.lines().filter_map(|line| {
        let (name, rest) = line.split_once(" v")?;
        Some(format!("{name} {}", rest.split(' ').next().unwrap_or(rest)))
    });
    Ok(crates.collect())
}

/// The texts of licences and notices at the top of a crate.
fn texts_in(folder: &Path) -> Result<Vec<String>> {
    let told = |error| format!("{}: {error}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(told)? {
        let path = entry.map_err(told)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        let is_licence = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];
        if path.is_file() && is_licence.iter().any(|start| name.starts_with(start)) {
            files.push(path);
        }
    }
    files.sort();
    let read = |file: &PathBuf| fs::read(file).map_err(|error| format!("{}: {error}", file.display()));
    files.iter().map(|file| Ok(String::from_utf8_lossy(&read(file)?).trim().replace("\r\n", "\n"))).collect()
}

fn laid_out(texts: &BTreeMap<String, Vec<String>>, without: &[String]) -> String {
    let mut written = "Licences of the crates in the binaries of Portcullis.\n".to_owned();
    if !without.is_empty() {
        written += "\nThese crates come without a text; the names of their licences are those of texts below.\n\n";
        without.iter().for_each(|line| written += &format!("  {line}\n"));
    }
    for (text, crates) in texts {
        written += &format!("\n{}\n\n", "-".repeat(80));
        crates.iter().for_each(|name| written += &format!("  {name}\n"));
        written += &format!("\n{text}\n");
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AWS-LC, whose licence asks for it, is in all binaries; the tools of builds and tests are in none.
    #[test]
    fn crates_in_binaries_are_listed_and_those_of_builds_are_not() {
        let linked = linked(&["portcullis-gateway"]).unwrap();
        let has = |name: &str| linked.iter().any(|line| line.split(' ').next() == Some(name));
        assert!(has("aws-lc-rs") && has("tokio"), "{linked:?}");
        assert!(!has("proptest") && !has("cmake"), "{linked:?}");
    }

    #[test]
    fn each_text_is_written_once_after_its_crates() {
        let texts = BTreeMap::from([("MIT".to_owned(), vec!["a 1.0.0".to_owned(), "b 2.0.0".to_owned()])]);
        let written = laid_out(&texts, &["c 3.0.0: MIT".to_owned()]);
        assert_eq!(written.matches("MIT").count(), 2);
        assert!(written.find("b 2.0.0") < written.rfind("MIT"), "{written}");
    }
}
