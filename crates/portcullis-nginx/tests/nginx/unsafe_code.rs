//! The place of unsafe code: one folder, where each block has its reasons.

use std::{fs, path::Path};

/// Returns the files of a folder and of those in it, with their texts.
fn files(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| match path.is_dir() {
        true => files(&path),
        false => vec![(path.display().to_string(), fs::read_to_string(&path).unwrap())],
    };
    entries.flat_map(read).collect()
}

#[test]
fn unsafe_code_is_in_one_folder_and_each_block_has_its_reasons() {
    let sources = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(sources.len() > 20);
    for (file, text) in sources {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let blocks = code.filter(|line| line.contains("unsafe {") || line.contains("unsafe impl")).count();
        let reasons = text.matches("// SAFETY: ").count();
        let is_within = file.contains("/src/nginx/");
        assert!(is_within || !text.contains("unsafe {") && !text.contains("allow(unsafe"), "{file}");
        assert!(blocks <= reasons, "{file}: {blocks} blocks, {reasons} reasons");
    }
}
