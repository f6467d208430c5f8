//! The addresses of the project: the one place for each. An empty one does not exist yet; docs/releasing.md has the steps.

/// The repository. Cargo.toml names it, too, as `repository`: manifests are read by others.
pub(crate) const REPOSITORY: &str = "";
/// The container image in its registry, without a tag.
pub(crate) const IMAGE: &str = "";
/// The repository of the chart in its registry.
pub(crate) const CHARTS: &str = "";
/// The identity of the workflow that signs, for those who verify.
pub(crate) const IDENTITY: &str = "";

/// Returns a line for each address that is missing.
pub(super) fn missing() -> Vec<String> {
    let named = [
        ("REPOSITORY", REPOSITORY, "crates, npm packages and the chart name no repository"),
        ("IMAGE", IMAGE, "the image has no registry, and the chart no default for it"),
        ("CHARTS", CHARTS, "the chart has no registry"),
        ("IDENTITY", IDENTITY, "nobody can tell whose signatures to expect"),
    ];
    let missing = named.into_iter().filter(|(_, address, _)| address.is_empty());
    missing.map(|(name, _, why)| format!("missing: {name} in xtask/src/dist/addresses.rs: {why}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::root;

    #[test]
    fn manifests_name_the_same_repository() {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        let line = manifest.lines().find_map(|line| line.strip_prefix("repository = "));
        let named = line.map(|line| line.trim_matches('"')).unwrap_or_default();
        assert_eq!(named, REPOSITORY, "Cargo.toml and xtask/src/dist/addresses.rs");
    }

    #[test]
    fn each_missing_address_is_told() {
        let empty = [REPOSITORY, IMAGE, CHARTS, IDENTITY].iter().filter(|address| address.is_empty()).count();
        assert_eq!(missing().len(), empty);
    }
}
