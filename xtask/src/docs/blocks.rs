//! Code blocks: a test runs each one, or a reason says why none does. The list is `blocks.toml`.
//!
//! JSON, TOML and lines for a shell are read here as well, and each `cargo xtask …` is a command that there is.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use clap::Parser;
use serde::Deserialize;

use super::page::{self, Block, Page};
use crate::{Arguments, Result, kept, shell};

const LIST: &str = include_str!("blocks.toml");

/// Fails with a line for each block without an entry, each entry without a block or a test, and each malformed block.
pub(crate) fn check() -> Result {
    let List { blocks: entries } = toml::from_str(LIST).map_err(|error| format!("blocks.toml: {error}"))?;
    let pages = page::all()?;
    let mut faults = Vec::new();
    for page in &pages {
        for block in &page.blocks {
            let at = format!("{}:{}", page.file, block.line);
            faults.extend(entry_fault(&entries, page, block).map(|fault| format!("{at}: {fault}")));
            faults.extend(syntax_fault(block)?.map(|fault| format!("{at}: {fault}")));
        }
    }
    for entry in &entries {
        faults.extend(entry.fault(&pages));
    }
    kept("code blocks and their tests (xtask/src/docs/blocks.toml)", &faults)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    blocks: Vec<Entry>,
}

/// Some blocks with their tests or their reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// A page, or a folder of pages with `/` at its end.
    page: String,
    /// The words behind the fence: a language, or all of them.
    kinds: Vec<String>,
    /// A part of the code, where the entry is about some of the blocks only.
    with: Option<String>,
    /// The files of the tests.
    #[serde(default)]
    run_by: Vec<String>,
    reason: Option<String>,
}

impl Entry {
    fn is_about(&self, page: &Page, block: &Block) -> bool {
        let has_part = self.with.as_ref().is_none_or(|part| block.code.contains(part));
        let is_of_page = page.file == self.page || (self.page.ends_with('/') && page.file.starts_with(&self.page));
        has_part && is_of_page && self.kinds.iter().any(|kind| *kind == block.info || kind == block.language())
    }

    fn fault(&self, pages: &[Page]) -> Option<String> {
        let Self { page, kinds, with, run_by, reason } = self;
        let name = format!("blocks.toml: {page}, {}", kinds.join(", "));
        let read = |file: &String| fs::read_to_string(shell::root().join(file));
        if run_by.is_empty() == reason.is_none() {
            return Some(format!("{name}: expected `run_by` or `reason`, got both or neither"));
        }
        if let Some(file) = run_by.iter().find(|file| read(file).is_err()) {
            return Some(format!("{name}: expected a test in {file}, got no such file"));
        }
        let named = page.trim_end_matches('/').trim_start_matches("docs/").rsplit('/').next().unwrap_or(page);
        if !run_by.is_empty() && !run_by.iter().filter_map(|file| read(file).ok()).any(|text| text.contains(named)) {
            return Some(format!("{name}: expected a test that reads `{named}`, got none that names it"));
        }
        let has = |kind: &String| {
            let (page, with) = (page.clone(), with.clone());
            let one = Self { page, kinds: vec![kind.clone()], with, run_by: Vec::new(), reason: None };
            pages.iter().any(|page| page.blocks.iter().any(|block| one.is_about(page, block)))
        };
        let gone = kinds.iter().find(|kind| !has(kind))?;
        Some(format!("{name}: expected a block of `{gone}`, got none: take the entry out"))
    }
}

fn entry_fault(entries: &[Entry], page: &Page, block: &Block) -> Option<String> {
    if entries.iter().any(|entry| entry.is_about(page, block)) {
        return None;
    }
    let kind = &block.info;
    Some(format!(
        "expected a test or a reason for this block of `{kind}`, got none: add it to xtask/src/docs/blocks.toml"
    ))
}

fn syntax_fault(block: &Block) -> Result<Option<String>> {
    Ok(match block.language() {
        "json" => serde_json::from_str::<serde::de::IgnoredAny>(&block.code).err().map(|error| error.to_string()),
        "toml" => toml::from_str::<toml::Table>(&block.code).err().map(|error| error.to_string()),
        "sh" => shell_fault(&block.code)?,
        "console" => shell_fault(&typed(&block.code))?,
        _ => None,
    })
}

/// The lines that a person types at the prompt of a block.
fn typed(console: &str) -> String {
    let mut continues = false;
    let lines = console.lines().filter_map(|line| {
        let line = if continues { Some(line) } else { line.strip_prefix("$ ") }?;
        continues = line.ends_with('\\');
        Some(line)
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn shell_fault(lines: &str) -> Result<Option<String>> {
    if !is_good_shell(lines)? {
        return Ok(Some("expected lines that `sh -n` accepts".to_owned()));
    }
    Ok(lines.lines().find_map(|line| {
        let words = line.split('#').next()?.trim().strip_prefix("cargo xtask ")?.split_whitespace();
        let error = Arguments::try_parse_from(std::iter::once("cargo xtask").chain(words)).err()?;
        error.use_stderr().then(|| format!("`{line}`: {}", error.to_string().lines().next().unwrap_or_default()))
    }))
}

fn is_good_shell(lines: &str) -> Result<bool> {
    let failed = |error| format!("cannot ask sh about a block: {error}");
    let mut sh = Command::new("sh");
    let mut child = sh.arg("-n").stdin(Stdio::piped()).spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A shell that stops reading has found a mistake.
        let _ = stdin.write_all(lines.as_bytes());
    }
    Ok(child.wait().map_err(failed)?.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_blocks_are_told() {
        for (info, code, is_good) in [
            ("json keycloak", "{ \"a\": 1 }", true),
            ("json", "{ a: 1 }", false),
            ("toml", "a = 1", true),
            ("toml", "a = ", false),
            ("sh", "for a in b; do c; done", true),
            ("sh", "echo \"a", false),
            ("console", "$ cargo xtask check --fast  # quick\nfor ever", true),
            ("console", "$ cargo xtask check --slow", false),
            ("console", "$ cargo xtask chekc", false),
            ("console", "$ echo a \\\n  b\nanswer (", true),
            ("text", "(", true),
        ] {
            let block = Block { info: info.to_owned(), code: code.to_owned(), line: 1 };
            assert_eq!(syntax_fault(&block).unwrap().is_none(), is_good, "{info}: {code}");
        }
    }

    #[test]
    fn the_pages_keep_the_rules() {
        check().unwrap();
        super::super::links::check().unwrap();
    }
}
