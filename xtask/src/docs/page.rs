//! A page in Markdown: its anchors, links and code blocks, each with its line.

use std::{collections::HashMap, fs, ops::Range};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::{Result, shell};

/// A parsed page.
pub(super) struct Page {
    /// Its path below the root of the repository.
    pub(super) file: String,
    pub(super) text: String,
    /// The anchors of its headings.
    pub(super) anchors: Vec<String>,
    pub(super) links: Vec<Link>,
    pub(super) blocks: Vec<Block>,
}

/// A link or an image.
pub(super) struct Link {
    pub(super) to: String,
    /// The place of the whole link in the text.
    pub(super) place: Range<usize>,
}

/// A code block between fences.
pub(super) struct Block {
    /// The words behind the fence, such as `rust,no_run` or `json keycloak`.
    pub(super) info: String,
    pub(super) code: String,
    pub(super) line: usize,
}

impl Block {
    /// The first word behind the fence: `rust` of `rust,no_run`.
    pub(super) fn language(&self) -> &str {
        self.info.split([',', ' ']).next().unwrap_or_default()
    }
}

impl Page {
    pub(super) fn read(file: &str) -> Result<Self> {
        let text = fs::read_to_string(shell::root().join(file)).map_err(|error| format!("{file}: {error}"))?;
        Ok(Self::parse(file, text))
    }

    fn parse(file: &str, text: String) -> Self {
        let (mut anchors, mut links, mut blocks) = (Anchors::default(), Vec::new(), Vec::new());
        let (mut heading, mut block) = (None::<String>, None::<Block>);
        for (event, place) in Parser::new_ext(&text, Options::ENABLE_TABLES).into_offset_iter() {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => anchors.add(&heading.take().unwrap_or_default()),
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    links.push(Link { to: dest_url.into_string(), place });
                }
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    let line = line_of(&text, place.start);
                    block = Some(Block { info: info.into_string(), code: String::new(), line });
                }
                Event::End(TagEnd::CodeBlock) => blocks.extend(block.take()),
                Event::Text(words) | Event::Code(words) => match (&mut block, &mut heading) {
                    (Some(block), _) => block.code += &words,
                    (None, Some(heading)) => *heading += &words,
                    (None, None) => {}
                },
                _ => {}
            }
        }
        Self { file: file.to_owned(), anchors: anchors.found, links, blocks, text }
    }

    /// The line at a place in the text.
    pub(super) fn line(&self, at: usize) -> usize {
        line_of(&self.text, at)
    }
}

/// All pages of the repository.
pub(super) fn all() -> Result<Vec<Page>> {
    // The templates of the benchmarks' pages are no pages.
    let files = shell::files(["*.md"])?.into_iter().filter(|file| !file.starts_with("bench/pages/"));
    files.map(|file| Page::read(&file)).collect()
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// Anchors as hosts of repositories and mdBook make them: of two equal headings the second gets a number.
#[derive(Default)]
struct Anchors {
    found: Vec<String>,
    seen: HashMap<String, usize>,
}

impl Anchors {
    fn add(&mut self, heading: &str) {
        let kept = heading.trim().chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
        let anchor: String =
            kept.flat_map(char::to_lowercase).map(|letter| if letter == ' ' { '-' } else { letter }).collect();
        let before = self.seen.entry(anchor.clone()).or_default();
        self.found.push(if *before == 0 { anchor } else { format!("{anchor}-{before}") });
        *before += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_links_and_blocks_are_found() {
        let text = "# `A` page: its parts\n\n[b](b.md#c) and `[no](link)`\n\n## Same\n## Same\n\n```json x\n{}\n```\n";
        let page = Page::parse("a.md", text.to_owned());
        assert_eq!(page.anchors, ["a-page-its-parts", "same", "same-1"]);
        let links: Vec<_> = page.links.iter().map(|link| (link.to.as_str(), page.line(link.place.start))).collect();
        assert_eq!(links, [("b.md#c", 3)]);
        let [block] = &page.blocks[..] else { panic!("expected one block") };
        assert_eq!(
            (block.language(), block.info.as_str(), block.code.as_str(), block.line),
            ("json", "json x", "{}\n", 8)
        );
    }
}
