//! Rules for dependencies: each has its reason beside it, and the project's crates depend on each other in one direction.

use std::{collections::BTreeSet, fs};

use crate::{
    Result, kept, manifest,
    shell::{self, cargo, output},
};

/// The most crates that the first `cargo run` compiles: a newcomer waits for each.
const MOST_OF_DEMO: usize = 170;

/// Checks the workspace's manifest, those of the packages in `crates/`, and the number of crates of the demo.
pub(crate) fn check() -> Result {
    let read = |file: &str| fs::read_to_string(shell::root().join(file)).map_err(|error| format!("{file}: {error}"));
    let mut faults = without_reason(&read("Cargo.toml")?);
    for package in manifest::all_packages()? {
        let name = &package.name;
        faults.extend(misdirected(name, &read(&format!("crates/{name}/Cargo.toml"))?));
    }
    faults.extend(too_many(&crates_of_demo()?));
    kept("a dependency has its reason and its direction", &faults)
}

/// Returns the names and versions of the crates that the demo is built from.
fn crates_of_demo() -> Result<BTreeSet<String>> {
    let mut tree = cargo(["tree", "--locked", "--package", "portcullis-demo", "--edges", "normal,build"]);
    let listed = output(tree.args(["--prefix", "none", "--format", "{p}"])).ok_or("`cargo tree` failed")?;
    Ok(listed.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect())
}

fn too_many(crates: &BTreeSet<String>) -> Option<String> {
    let listed = || crates.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    (crates.len() > MOST_OF_DEMO)
        .then(|| format!("expected at most {MOST_OF_DEMO} crates for the demo, got {}: {}", crates.len(), listed()))
}

/// Returns a line for each dependency of the workspace without a comment after it or in the line above.
fn without_reason(manifest: &str) -> Vec<String> {
    let lines: Vec<_> = manifest.lines().collect();
    let entries = manifest::entries(manifest).into_iter();
    let dependencies = entries.filter(|entry| entry.table == "workspace.dependencies");
    let unexplained = dependencies.filter(|entry| {
        let line = |number: usize| lines.get(number).copied().unwrap_or_default();
        !line(entry.line - 1).contains(" # ") && !line(entry.line.saturating_sub(2)).starts_with("# ")
    });
    let told = unexplained.map(|entry| {
        format!(
            "Cargo.toml:{}: expected a reason for {}, as a comment after it or above it, got none",
            entry.line, entry.key
        )
    });
    told.collect()
}

/// Returns a line for each forbidden dependency between the project's packages.
fn misdirected(package: &str, manifest: &str) -> Vec<String> {
    let entries = manifest::entries(manifest).into_iter();
    let ours = entries.filter(|entry| entry.table.ends_with("dependencies") && entry.key.starts_with("portcullis"));
    let faults = ours.filter_map(|entry| {
        let rule = match (package, entry.key) {
            ("portcullis-testkit", _) => {
                "the test kit depends on no crate of the project, so that it stays an independent oracle"
            }
            (_, "portcullis-testkit") if entry.table.ends_with("dev-dependencies") => return None,
            ("portcullis-node-testkit", "portcullis-testkit") => return None,
            (_, "portcullis-testkit") => "the test kit is for tests only",
            ("portcullis", _) => "the library depends on no crate of the project except the test kit, in its tests",
            ("portcullis-node-testkit", "portcullis") => "the test kit for Node depends on nothing but the test kit",
            (_, "portcullis") | (manifest::NGINX, "portcullis-gateway") => return None,
            (_, "portcullis-gateway") => "no crate depends on the gateway but the nginx module",
            _ => "no crate depends on the addon or the nginx module",
        };
        Some(format!("crates/{package}/Cargo.toml:{}: {package} depends on {}: {rule}", entry.line, entry.key))
    });
    faults.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_without_a_reason_is_told() {
        let manifest = "\
[workspace.dependencies]
a = \"1\" # parses
# Parses, too.
b = { version = \"1\" }
c = \"1\"

d = { version = \"1\", features = [\"#\"] }
[workspace.lints]
e = \"warn\"
";
        assert_eq!(
            without_reason(manifest),
            ["5: expected a reason for c", "7: expected a reason for d"]
                .map(|start| format!("Cargo.toml:{start}, as a comment after it or above it, got none"))
        );
    }

    #[test]
    fn dependencies_between_our_crates_have_one_direction() {
        for (package, manifest, line) in [
            ("portcullis", "[dev-dependencies]\nportcullis-testkit.workspace = true", None),
            ("portcullis", "[dependencies]\nportcullis-testkit.workspace = true", Some(2)),
            ("portcullis", "[dependencies]\nportcullis-gateway.workspace = true", Some(2)),
            ("portcullis", "[dev-dependencies]\nportcullis-node = { path = \"..\" }", Some(2)),
            ("portcullis-testkit", "[package]\nname = \"portcullis-testkit\"", None),
            ("portcullis-testkit", "[dependencies]\naxum = \"1\"\nportcullis = { path = \"..\" }", Some(3)),
            ("portcullis-testkit", "[dev-dependencies.portcullis]\npath = \"..\"", Some(1)),
            ("portcullis-gateway", "[dependencies]\nportcullis.workspace = true", None),
            ("portcullis-node", "[dependencies]\nportcullis-gateway.workspace = true", Some(2)),
            ("portcullis-node", "[dependencies]\nportcullis-testkit.workspace = true", Some(2)),
            ("portcullis-node-testkit", "[dependencies]\nportcullis-testkit.workspace = true", None),
            ("portcullis-node-testkit", "[dependencies]\nportcullis.workspace = true", Some(2)),
            ("portcullis-nginx", "[dependencies]\nportcullis.workspace = true", None),
            ("portcullis-nginx", "[dependencies]\nportcullis-gateway = { path = \"..\" }", None),
            ("portcullis-nginx", "[dependencies]\nportcullis-node = { path = \"..\" }", Some(2)),
            ("portcullis-nginx", "[dependencies]\nportcullis-testkit.workspace = true", Some(2)),
            ("portcullis-gateway", "[dependencies]\nportcullis-nginx = { path = \"..\" }", Some(2)),
            ("portcullis-node", "[dependencies]\nportcullis-nginx = { path = \"..\" }", Some(2)),
        ] {
            let faults = misdirected(package, manifest);
            let place = line.map(|line| format!("crates/{package}/Cargo.toml:{line}: "));
            assert_eq!(faults.len(), usize::from(line.is_some()), "{package}: {manifest}: {faults:?}");
            assert!(faults.iter().zip(place).all(|(fault, place)| fault.starts_with(&place)), "{faults:?}");
        }
    }
}
