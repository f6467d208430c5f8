//! The sources of the book: copies of the pages, whose links to other files lead to pages with the text of these files.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::{
    links::{API, Target},
    page::{Link, Page},
};
use crate::{Result, shell};

/// The list of the book's pages, with links from its own folder.
const SUMMARY: &str = "docs/SUMMARY.md";

/// The endings of files that browsers show by themselves.
const IMAGES: [&str; 3] = [".gif", ".png", ".svg"];

/// Writes the sources of the book, and returns their folder.
pub(super) fn write() -> Result<PathBuf> {
    let book = shell::root().join("target/book");
    for old in [&book, &super::folder()] {
        if old.exists() {
            fs::remove_dir_all(old).map_err(|error| format!("cannot empty {}: {error}", old.display()))?;
        }
    }
    let summary = Page::read(SUMMARY)?;
    let pages =
        summary.links.iter().filter_map(|link| Some(Target::of(SUMMARY, &link.to)?.file)).collect::<BTreeSet<_>>();
    let source = book.join("src");
    let mut beside = BTreeSet::new();
    for page in &pages {
        put(&source.join(page), &staged(&Page::read(page)?, &pages, &mut beside)?)?;
    }
    let from_root = |link: &Link| Target::of(SUMMARY, &link.to).map(|target| target.file);
    put(&source.join("SUMMARY.md"), with_links(&summary, from_root))?;
    beside.iter().try_for_each(|file| write_beside(file, &source))?;
    for file in ["book.toml", "site.css"] {
        put(&book.join(file), read(&format!("docs/{file}"))?)?;
    }
    Ok(book)
}

/// Returns the text of a page for the book, and adds the files that it leads to.
fn staged(page: &Page, pages: &BTreeSet<String>, beside: &mut BTreeSet<String>) -> Result<String> {
    let mut missing = None;
    let text = with_links(page, |link| {
        let Target { file, .. } = Target::of(&page.file, &link.to)?;
        // mdBook makes the first page of a folder of a README.
        if pages.contains(&file) {
            return link.to.contains("README.md").then(|| link.to.replace("README.md", "index.md"));
        }
        if file.starts_with(API) {
            return None;
        }
        if file.ends_with(".md") {
            missing = Some(format!("{}: expected {file} in {SUMMARY}, since the page leads to it", page.file));
        }
        let to = link.to.trim_end_matches('/');
        if pages.contains(&format!("{file}/README.md")) {
            return Some(format!("{to}/index.html"));
        }
        let shown = if shell::root().join(&file).is_dir() {
            format!("{to}/index.html")
        } else if IMAGES.iter().any(|image| file.ends_with(image)) {
            to.to_owned()
        } else {
            format!("{to}.html")
        };
        beside.insert(file);
        Some(shown)
    });
    missing.map_or(Ok(text), Err)
}

/// Returns the text of a page with other targets for some of its links.
fn with_links(page: &Page, mut other: impl FnMut(&Link) -> Option<String>) -> String {
    let mut text = page.text.clone();
    // From the end, so that the places before it stay; an image within a link comes after the link.
    for link in page.links.iter().rev() {
        let Some(to) = other(link) else { continue };
        let old = format!("]({}", link.to);
        let Some(at) = text.get(link.place.clone()).and_then(|shown| shown.rfind(&old)) else { continue };
        let start = link.place.start + at;
        text.replace_range(start..start + old.len(), &format!("]({to}"));
    }
    text
}

/// Writes the page of a file or a folder: an image as it is.
fn write_beside(file: &str, source: &Path) -> Result {
    let path = shell::root().join(file);
    if path.is_dir() {
        let folder = format!("{file}/");
        let files = shell::files([folder.as_str()])?;
        for file in &files {
            write_beside(file, source)?;
        }
        let items = files.iter().map(|file| {
            let name = file.strip_prefix(&folder).unwrap_or(file);
            let ending = if is_image(file) { "" } else { ".html" };
            format!("<li><a href=\"{0}{ending}\">{0}</a></li>", escaped(name))
        });
        let list = format!("<ul>\n{}\n</ul>", items.collect::<Vec<_>>().join("\n"));
        return put(&source.join(file).join("index.html"), plain_page(file, &list));
    }
    if is_image(file) {
        let bytes = fs::read(&path).map_err(|error| format!("{file}: {error}"))?;
        return put(&source.join(file), bytes);
    }
    let bytes = fs::read(&path).map_err(|error| format!("{file}: {error}"))?;
    let text = format!("<pre>{}</pre>", escaped(&String::from_utf8_lossy(&bytes)));
    put(&source.join(format!("{file}.html")), plain_page(file, &text))
}

fn is_image(file: &str) -> bool {
    IMAGES.iter().any(|image| file.ends_with(image))
}

/// A page in HTML without the book around it.
fn plain_page(file: &str, body: &str) -> String {
    let root = "../".repeat(file.matches('/').count() + usize::from(shell::root().join(file).is_dir()));
    let file = escaped(file);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{file} - Portcullis</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <style>:root {{ color-scheme: light dark }} body {{ font-family: sans-serif; line-height: 1.5; margin: 2rem auto; \
         max-width: 75rem; padding: 0 1rem }} pre {{ font-size: 0.85rem; overflow-x: auto }}</style>\n</head>\n<body>\n\
         <p><a href=\"{root}index.html\">Portcullis</a></p>\n<h1>{file}</h1>\n{body}\n</body>\n</html>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn read(file: &str) -> Result<String> {
    fs::read_to_string(shell::root().join(file)).map_err(|error| format!("{file}: {error}"))
}

fn put(path: &Path, content: impl AsRef<[u8]>) -> Result {
    let failed = |error| format!("cannot write {}: {error}", path.display());
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
    fs::write(path, content).map_err(failed)
}
