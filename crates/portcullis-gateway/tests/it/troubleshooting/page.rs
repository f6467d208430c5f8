//! The parsed page: `## section`, `### heading`, a line with status and code, a block with the words of `explain`, the
//! remedy.

use std::{collections::BTreeMap, fs, path::Path};

/// An entry of the page.
pub(super) struct Entry {
    /// The status of the gateway's answer.
    pub(super) status: u16,
    /// The code; `pass` if the gateway lets the request pass.
    pub(super) code: String,
    /// The block, with one space between words.
    pub(super) says: String,
}

pub(super) fn entries() -> BTreeMap<String, Entry> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/troubleshooting.md");
    let page = fs::read_to_string(path).unwrap();
    let mut entries = BTreeMap::new();
    for section in page.split("\n## ").skip(1) {
        let mut parts = section.split("\n### ");
        let title = parts.next().unwrap().lines().next().unwrap();
        for part in parts {
            let (heading, body) = part.split_once('\n').unwrap();
            let name = format!("{title}: {heading}");
            let entry = entry(body).unwrap_or_else(|| panic!("{name}: expected status, code, a block and a remedy"));
            assert!(entries.insert(name.clone(), entry).is_none(), "{name} stands twice");
        }
    }
    entries
}

/// Reads `401 `wrong_audience`, and more`, then a block, then some words.
fn entry(body: &str) -> Option<Entry> {
    let (before, rest) = body.split_once("```text\n")?;
    let (says, after) = rest.split_once("```")?;
    let first = before.trim();
    let status = first.get(..3)?.parse().ok()?;
    let code = first.get(3..)?.trim().strip_prefix('`')?.split('`').next()?.to_owned();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!after.trim().is_empty()).then(|| Entry { status, code, says: words(says) })
}
