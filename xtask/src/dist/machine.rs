//! The folders of this machine, which nothing that is published may name.

use std::{env, path::PathBuf};

use crate::shell::root;

/// The folders that rustc writes into binaries, each with the name that takes its place: those of packages and of the project.
pub(super) fn of_sources() -> [(String, &'static str); 2] {
    [(home("CARGO_HOME", ".cargo"), "/cargo"), (root().display().to_string(), "/portcullis")]
}

/// A line for each folder of this machine that is named in a file.
pub(super) fn named_in(file: &str, bytes: &[u8]) -> Vec<String> {
    let named = |folder: &String| bytes.windows(folder.len()).any(|window| window == folder.as_bytes());
    let folders = of_sources().map(|(folder, _)| folder).into_iter().chain([home("RUSTUP_HOME", ".rustup")]);
    folders.filter(named).map(|folder| format!("{file}: {folder}")).collect()
}

/// The folder in a variable, or else one in the user's.
fn home(variable: &str, folder: &str) -> String {
    let user = || env::home_dir().unwrap_or_default().join(folder);
    env::var_os(variable).map_or_else(user, PathBuf::from).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_this_machine_are_found() {
        let here = root().join("crates").display().to_string();
        assert_eq!(named_in("a", format!("\0at {here}\0").as_bytes()), [format!("a: {}", root().display())]);
        assert!(named_in("a", b"crates/portcullis/src/lib.rs").is_empty());
    }
}
