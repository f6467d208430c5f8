//! The built site: each link in its pages leads to a file and an `id` that are there.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use super::links::{API, Target};
use crate::{Result, kept};

/// Fails with a line for each broken link, and returns the number of pages. `cargo doc` checks its
/// own pages; links to them are followed if they are there.
pub(super) fn check(site: &Path) -> Result<usize> {
    let mut files = Vec::new();
    list(site, &mut files)?;
    let names: HashSet<_> = files.iter().filter_map(|file| name(site, file)).collect();
    let pages: HashMap<_, _> = names
        .iter()
        .filter(|name| name.ends_with(".html"))
        .filter_map(|name| Some((name.as_str(), fs::read_to_string(site.join(name)).ok()?)))
        .collect();
    let has_api = site.join(API).exists();
    let mut faults = Vec::new();
    let own = |page: &str| !page.starts_with(API) && page != "404.html" && page != "print.html" && page != "toc.html";
    for (page, text) in pages.iter().filter(|(page, _)| own(page)) {
        for link in ["href=\"", "src=\""].into_iter().flat_map(|attribute| values(text, attribute)) {
            let Some(Target { file, anchor }) = Target::of(page, link) else { continue };
            if file.starts_with(API) && !has_api {
                continue;
            }
            if !names.contains(&file) {
                faults.push(format!("{page}: expected a file {file}, got none"));
            } else if let (Some(anchor), Some(text)) = (anchor, pages.get(file.as_str()))
                && !text.contains(&format!("id=\"{anchor}\""))
            {
                faults.push(format!("{page}: expected an element `{anchor}` in {file}, got none"));
            }
        }
    }
    faults.sort();
    kept("links within the site", &faults)?;
    Ok(pages.keys().filter(|page| own(page)).count())
}

/// The values of an attribute, without the links to other places.
fn values<'a>(text: &'a str, attribute: &str) -> impl Iterator<Item = &'a str> {
    let values = text.split(attribute).skip(1).filter_map(|rest| rest.split('"').next());
    values.filter(|value| !value.is_empty() && !value.contains(':'))
}

fn name(site: &Path, file: &Path) -> Option<String> {
    Some(file.strip_prefix(site).ok()?.to_string_lossy().into_owned())
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result {
    let failed = |error| format!("cannot read {}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
