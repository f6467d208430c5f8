//! Links: each leads to a file, a folder or a heading that is there.

use std::collections::HashMap;

use super::page::{self, Page};
use crate::{Result, kept, shell};

/// The folder of the site with the documentation of the APIs, which `cargo xtask docs` makes and then checks itself.
pub(super) const API: &str = "api/";

/// Fails with a line for each link that leads nowhere.
pub(crate) fn check() -> Result {
    let pages = page::all()?;
    let by_file: HashMap<_, _> = pages.iter().map(|page| (page.file.as_str(), page)).collect();
    let faults: Vec<_> = pages.iter().flat_map(|page| faults_of(page, &by_file)).collect();
    kept("links within the repository", &faults)
}

fn faults_of(page: &Page, pages: &HashMap<&str, &Page>) -> Vec<String> {
    let fault = |link: &page::Link| {
        let (file, anchor) = Target::of(&page.file, &link.to)?.parts();
        let fault = match pages.get(file.as_str()) {
            Some(target) => {
                let anchor = anchor.filter(|anchor| !target.anchors.contains(anchor))?;
                format!("expected a heading `{anchor}` in {file}, got none")
            }
            None if file.starts_with(API) || shell::root().join(&file).exists() => return None,
            None => format!("expected a file {file}, got none"),
        };
        Some(format!("{}:{}: {fault}", page.file, page.line(link.place.start)))
    };
    page.links.iter().filter_map(fault).collect()
}

/// The target of a link within the repository.
pub(super) struct Target {
    /// Its path below the root.
    pub(super) file: String,
    pub(super) anchor: Option<String>,
}

impl Target {
    /// Reads a link of a file; `None` for a link to another place.
    pub(super) fn of(from: &str, link: &str) -> Option<Self> {
        if link.contains("://") || link.starts_with("mailto:") {
            return None;
        }
        let (path, anchor) =
            link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor.to_owned())));
        let file = if path.is_empty() { from.to_owned() } else { below_root(folder_of(from), path) };
        Some(Self { file, anchor })
    }

    fn parts(self) -> (String, Option<String>) {
        (self.file, self.anchor)
    }
}

fn folder_of(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Joins a folder and a relative path, without `.` and `..`.
fn below_root(folder: &str, path: &str) -> String {
    let mut parts: Vec<_> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match part {
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_from_their_page() {
        for (from, link, target) in [
            ("docs/a.md", "b.md", "docs/b.md"),
            ("docs/a.md", "../README.md", "README.md"),
            ("docs/a.md", "./providers/", "docs/providers"),
            ("docs/a.md", "#top", "docs/a.md"),
            ("a.md", "../b.md", "../b.md"),
        ] {
            assert_eq!(Target::of(from, link).unwrap().file, target, "{link}");
        }
        assert!(Target::of("a.md", "https://example.com/a").is_none());
    }
}
