//! `cargo xtask version`: sets the version in each place that names it, but for CHANGELOG.md, whose sections people write.

use std::fs;

use crate::{
    Result,
    shell::{files, root},
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The files that are looked at.
const FILES: [&str; 6] = ["*.toml", "*.lock", "*.json", "*.yaml", "*.md", ":!CHANGELOG.md"];

/// The ends of files' names, and a text in these files with the version as `*`.
const FORMS: [(&str, &str); 19] = [
    ("Cargo.toml", "[workspace.package]\nversion = \"*\""),
    // Beside a path.
    ("Cargo.toml", "\", version = \"*\""),
    // Packages of others have a source in between.
    ("Cargo.lock", "\nversion = \"*\"\ndependencies = ["),
    ("package.json", "\"name\": \"portcullis\",\n  \"version\": \"*\""),
    ("package.json", "\"name\": \"portcullis-testkit\",\n  \"version\": \"*\""),
    ("package.json", "\"portcullis-testkit\": \"*\""),
    ("package-lock.json", "\"name\": \"portcullis\",\n  \"version\": \"*\""),
    ("package-lock.json", "\"name\": \"portcullis\",\n      \"version\": \"*\""),
    ("package-lock.json", "\"name\": \"portcullis-testkit\",\n      \"version\": \"*\""),
    ("package-lock.json", "\"portcullis-testkit\": \"*\""),
    ("Chart.yaml", "\nversion: *\n"),
    ("Chart.yaml", "\nappVersion: *\n"),
    ("kubernetes.yaml", "app.kubernetes.io/version: \"*\""),
    (".md", "portcullis-*"),
    (".md", "portcullis-nginx-*"),
    (".md", "portcullis_*"),
    (".md", "portcullis/*"),
    (".md", "portcullis:*"),
    (".md", "layout:*"),
];

/// Runs the command.
pub(crate) fn run(version: &str) -> Result {
    if !is_semantic(version) {
        return Err(format!("expected a version such as 1.2.3 or 1.2.3-alpha.1, got {version}"));
    }
    for file in files(FILES)? {
        let path = root().join(&file);
        let text = fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
        let changed = set(&file, &text, VERSION, version);
        if changed != text {
            fs::write(&path, changed).map_err(|error| format!("{file}: {error}"))?;
            println!("{file}");
        }
    }
    Ok(())
}

/// Returns the text of a file with the new version.
fn set(file: &str, text: &str, old: &str, new: &str) -> String {
    forms(file).fold(text.to_owned(), |text, form| text.replace(&form.replace('*', old), &form.replace('*', new)))
}

fn forms(file: &str) -> impl Iterator<Item = &'static str> {
    FORMS.into_iter().filter(move |(end, _)| file.ends_with(end)).map(|(_, form)| form)
}

fn is_semantic(version: &str) -> bool {
    let (numbers, pre) = version.split_once('-').unwrap_or((version, "alpha"));
    let is_number = |part: &str| part.parse::<u32>().is_ok_and(|number| number.to_string() == part);
    let is_name = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    numbers.split('.').count() == 3 && numbers.split('.').all(is_number) && pre.split('.').all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All texts in these files, but for those that tell of a version rather than have it.
    fn texts<const N: usize>(patterns: [&str; N]) -> Vec<(String, String)> {
        let mut files = files(patterns).unwrap();
        files.retain(|file| {
            !["CHANGELOG.md", "docs/releasing.md", "docs/benchmarks"].iter().any(|one| file.starts_with(one))
        });
        files.into_iter().filter_map(|file| Some((fs::read_to_string(root().join(&file)).ok()?, file))).collect()
    }

    #[test]
    fn the_version_is_set_and_that_of_others_is_not() {
        for (file, text, changed) in [
            ("Cargo.toml", "[workspace.package]\nversion = \"9.8.7\"\n", true),
            ("Cargo.toml", "a = { path = \"../a\", version = \"9.8.7\" }", true),
            ("Cargo.toml", "a = { version = \"9.8.7\" }", false),
            ("fuzz/Cargo.lock", "name = \"a\"\nversion = \"9.8.7\"\ndependencies = [\n", true),
            ("fuzz/Cargo.lock", "name = \"a\"\nversion = \"9.8.7\"\nsource = \"b\"\ndependencies = [\n", false),
            ("a/package.json", "{\n  \"name\": \"portcullis\",\n  \"version\": \"9.8.7\",", true),
            ("a/package-lock.json", "\"node_modules/a\": {\n      \"version\": \"9.8.7\",", false),
            ("a/Chart.yaml", "name: a\nversion: 9.8.7\nappVersion: 9.8.7\n", true),
            ("README.md", "`portcullis_9.8.7_amd64.deb`", true),
            ("README.md", "at 9.8.7.1", false),
            ("docs/page.rs", "portcullis-9.8.7", false),
        ] {
            let expected = if changed { text.replace("9.8.7", "10.0.0-alpha.1") } else { text.to_owned() };
            assert_eq!(set(file, text, "9.8.7", "10.0.0-alpha.1"), expected);
        }
    }

    #[test]
    fn no_place_has_an_older_version() {
        for (text, file) in &texts(FILES) {
            // Cargo compares its own lock files, where packages of others have the same form.
            for form in forms(file).filter(|_| !file.ends_with("Cargo.lock")) {
                let (before, after) = form.split_once('*').unwrap();
                let found = text.split(before).skip(1).filter(|found| found.starts_with(|c: char| c.is_ascii_digit()));
                // The workspace of the benchmarks has 0.0.0.
                for found in found.filter(|found| !found.starts_with("0.0.0")) {
                    let line = found.lines().next().unwrap_or_default();
                    let is_new = found.starts_with(&format!("{VERSION}{after}"));
                    assert!(is_new, "expected {VERSION} in {file}, got {line}");
                }
            }
        }
    }

    #[test]
    fn each_form_is_found_and_no_place_is_left() {
        let texts = texts(["."]);
        for (end, form) in FORMS {
            let place = form.replace('*', VERSION);
            let mut of_form = texts.iter().filter(|(_, file)| file.ends_with(end));
            assert!(of_form.any(|(text, _)| text.contains(&place)), "expected {place:?} in some {end}, got none");
        }
        for (text, file) in &texts {
            let left = set(file, text, VERSION, "new");
            let mut lines = left.lines().filter(|line| line.contains(VERSION) && line.contains("portcullis"));
            assert_eq!(lines.next(), None, "{file}: write the form of this place into xtask/src/version.rs");
        }
    }

    #[test]
    fn versions_are_semantic() {
        for (version, fits) in [
            ("0.1.0", true),
            ("10.20.30", true),
            ("1.0.0-alpha.1", true),
            ("1.0", false),
            ("v1.0.0", false),
            ("1.0.0-", false),
            ("1.0.0-a..b", false),
            ("1.0.01", false),
            ("1.0.+1", false),
        ] {
            assert_eq!(is_semantic(version), fits, "{version}");
        }
    }
}
