//! The workspace's manifests, as far as checks read them.

use std::fs;

use crate::{Result, shell};

/// The feature that no check enables: FIPS builds another AWS-LC, with other tools.
pub(crate) const NEVER_ENABLED: &str = "fips";

/// The package of the nginx module, which needs nginx's headers: `nginx.rs` builds and checks it.
pub(crate) const NGINX: &str = "portcullis-nginx";

/// A line `key = …` of a manifest.
pub(crate) struct Entry<'a> {
    /// The line number, from 1.
    pub(crate) line: usize,
    /// The table with the entry, such as `dev-dependencies`.
    pub(crate) table: &'a str,
    pub(crate) key: &'a str,
}

/// The entries of a manifest; a table that is itself a dependency counts as an entry of its parent.
pub(crate) fn entries(manifest: &str) -> Vec<Entry<'_>> {
    let mut table = "";
    let mut entries = Vec::new();
    for (line, text) in (1..).zip(manifest.lines()) {
        if let Some(header) = text.strip_prefix('[') {
            table = header.trim_start_matches('[').split(']').next().unwrap_or("");
            if let Some((parent, key)) = table.rsplit_once("dependencies.") {
                let parent = table.get(..parent.len() + "dependencies".len()).unwrap_or(table);
                entries.push(Entry { line, table: parent, key });
            }
        } else if let Some((key, _)) = text.split_once('=') {
            let key = key.trim().split('.').next().unwrap_or("");
            if key.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) {
                entries.push(Entry { line, table, key });
            }
        }
    }
    entries
}

/// A package of the workspace in `crates/`, which can be published.
pub(crate) struct Package {
    pub(crate) name: String,
    /// True unless the manifest says `publish = false`.
    pub(crate) is_published: bool,
    /// All its features, without `default` and [`NEVER_ENABLED`].
    pub(crate) features: Vec<String>,
}

/// The packages in `crates/` that need Rust and a C compiler only, by name: all but [`NGINX`].
pub(crate) fn packages() -> Result<Vec<Package>> {
    let mut packages = all_packages()?;
    packages.retain(|package| package.name != NGINX);
    Ok(packages)
}

/// The published packages with an API for others. That of the gateway is for the nginx module alone, and promises nothing.
pub(crate) fn libraries() -> Result<Vec<Package>> {
    let mut packages = packages()?;
    packages.retain(|package| ["portcullis", "portcullis-testkit"].contains(&package.name.as_str()));
    Ok(packages)
}

/// The packages in `crates/`, by name.
pub(crate) fn all_packages() -> Result<Vec<Package>> {
    let folder = shell::root().join("crates");
    let unreadable = |error| format!("cannot read {}: {error}", folder.display());
    let mut packages = Vec::new();
    for entry in fs::read_dir(&folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let Ok(manifest) = fs::read_to_string(entry.path().join("Cargo.toml")) else {
            continue;
        };
        packages.push(Package {
            name: entry.file_name().to_string_lossy().into_owned(),
            is_published: !manifest.lines().any(|line| line == "publish = false"),
            features: features(&manifest),
        });
    }
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(packages)
}

/// `-p NAME` for each package.
pub(crate) fn selected(packages: &[Package]) -> Vec<String> {
    let flags = packages.iter().map(|package| ["-p".to_owned(), package.name.clone()]);
    flags.flatten().collect()
}

/// `--features=a/x,a/y,b/z`: all features by name.
pub(crate) fn all_features(packages: &[Package]) -> String {
    let names = packages
        .iter()
        .flat_map(|Package { name, features, .. }| features.iter().map(move |feature| format!("{name}/{feature}")));
    format!("--features={}", names.collect::<Vec<_>>().join(","))
}

fn features(manifest: &str) -> Vec<String> {
    let entries = entries(manifest).into_iter();
    let features = entries.filter(|entry| entry.table == "features");
    let enabled = features.filter(|entry| !["default", NEVER_ENABLED].contains(&entry.key));
    enabled.map(|entry| entry.key.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
[package]
name = "a"
version.workspace = true

[features]
default = ["axum"]
# A comment = nothing.
axum = [
    "tower",
    "dep:axum-core",
]
tower = []
fips = ["b/fips"]

[dependencies]
b = { version = "1", features = ["x"] }

[target.'cfg(unix)'.dependencies.c]
version = "1"

[dev-dependencies]
d.workspace = true
"#;

    #[test]
    fn features_are_read_by_name() {
        assert_eq!(features(MANIFEST), ["axum", "tower"]);
    }

    #[test]
    fn dependencies_are_found_in_every_form() {
        let found: Vec<_> = entries(MANIFEST)
            .into_iter()
            .filter(|entry| entry.table.ends_with("dependencies"))
            .map(|entry| (entry.line, entry.table, entry.key))
            .collect();
        assert_eq!(
            found,
            [(17, "dependencies", "b"), (19, "target.'cfg(unix)'.dependencies", "c"), (23, "dev-dependencies", "d"),]
        );
    }

    #[test]
    fn default_members_are_all_packages_but_the_nginx_module() {
        let manifest = fs::read_to_string(shell::root().join("Cargo.toml")).unwrap();
        let (_, members) = manifest.split_once("default-members = [").unwrap();
        let (members, _) = members.split_once(']').unwrap();
        for Package { name, .. } in packages().unwrap() {
            assert!(members.contains(&format!("\"crates/{name}\"")), "{name}: {members}");
        }
        assert!(!members.contains(NGINX) && !members.contains('*'), "{members}");
    }

    #[test]
    fn features_are_named_with_their_package() {
        let package = |name: &str, features: &[&str]| Package {
            name: name.to_owned(),
            is_published: true,
            features: features.iter().map(|&feature| feature.to_owned()).collect(),
        };
        let packages = [package("a", &["x", "y"]), package("b", &[]), package("c", &["z"])];
        assert_eq!(all_features(&packages), "--features=a/x,a/y,c/z");
        assert_eq!(selected(&packages), ["-p", "a", "-p", "b", "-p", "c"]);
    }
}
