//! The addresses of the project. An empty one does not exist yet; docs/releasing.md has the steps.

/// The repository, named in the workspace's Cargo.toml.
pub(super) const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");
/// The container image in its registry, without a tag.
pub(crate) const IMAGE: &str = "";
/// The repository of the chart in its registry.
pub(crate) const CHARTS: &str = "";
/// The identity of the workflow that signs, for those who verify.
pub(crate) const IDENTITY: &str = "";

/// Returns a line for each address that is missing.
pub(super) fn missing() -> Vec<String> {
    let named = [
        ("`repository` in Cargo.toml", REPOSITORY, "crates, npm packages and the chart name no repository"),
        ("IMAGE in xtask/src/dist/addresses.rs", IMAGE, "the image has no registry, and the chart no default for it"),
        ("CHARTS in xtask/src/dist/addresses.rs", CHARTS, "the chart has no registry"),
        ("IDENTITY in xtask/src/dist/addresses.rs", IDENTITY, "nobody can tell whose signatures to expect"),
    ];
    let missing = named.into_iter().filter(|(_, address, _)| address.is_empty());
    missing.map(|(place, _, why)| format!("missing: {place}: {why}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{manifest::all_packages, shell::root};

    #[test]
    fn published_crates_name_the_repository() {
        for package in all_packages().unwrap().iter().filter(|package| package.is_published) {
            let manifest = root().join("crates").join(&package.name).join("Cargo.toml");
            let text = std::fs::read_to_string(manifest).unwrap();
            assert!(text.contains("\nrepository.workspace = true\n"), "{} names no repository", package.name);
        }
    }

    #[test]
    fn each_missing_address_is_told() {
        let empty = [REPOSITORY, IMAGE, CHARTS, IDENTITY].iter().filter(|address| address.is_empty()).count();
        assert_eq!(missing().len(), empty);
    }
}
