//! The pattern of a route.

use super::units::{STREAM, marks_in, may_fall_away};

/// A path of a route: exact, or a prefix with `/*`.
///
/// A pattern is written in its plainest form: decoded, without dot segments, doubled slashes, `;` and `\`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(String);

/// The reason why a text is no pattern, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotAPattern {
    /// The expected and the actual text.
    pub(crate) problem: String,
    /// The remedy.
    pub(crate) help: String,
}

const PROTECT_THE_PREFIX: &str = "protect the prefix before it";

impl NotAPattern {
    fn new(problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self { problem: problem.into(), help: help.into() }
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// The reason why the text is none.
    pub(crate) fn parse(text: &str) -> Result<Self, NotAPattern> {
        if !text.starts_with('/') {
            let problem = format!("expected a path that starts with `/`, got `{text}`");
            return Err(NotAPattern::new(problem, format!("write `/{text}`")));
        }
        let path = text.strip_suffix("/*").unwrap_or(text);
        if let Some(character) = path.chars().find(|&character| !is_clean(character)) {
            return Err(refused(character));
        }
        let segments = || path.split('/').skip(1);
        if segments().any(|segment| matches!(segment, "." | "..")) {
            let problem = "expected a path without dot segments, got `.` or `..`";
            return Err(NotAPattern::new(problem, "write the resolved path"));
        }
        if path.contains(STREAM) {
            let problem = format!("expected names of files, got `{STREAM}`, which begins the stream of a file");
            return Err(NotAPattern::new(problem, "leave it out"));
        }
        if let Some(name) = segments().find(|name| !name.is_empty() && name.chars().all(may_be_left_out)) {
            let problem = format!("expected names that every server keeps, got `{name}`");
            return Err(NotAPattern::new(problem, PROTECT_THE_PREFIX));
        }
        let last = segments().count().saturating_sub(1);
        // `/orders//*` has an empty segment at the end of its prefix, `/orders/` none that is doubled.
        let doubled = |(at, segment): (usize, &str)| segment.is_empty() && (at < last || path.len() < text.len());
        if segments().enumerate().any(doubled) {
            let problem = "expected a path with single slashes, got `//`";
            return Err(NotAPattern::new(problem, "write one slash: requests with two are read both ways"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the pattern as configured.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true if each path under the other pattern is under this one.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self.prefix(), other.prefix()) {
            (None, Some(_)) => false,
            (_, prefix) => self.matches(prefix.unwrap_or(&other.0)) || self.prefix() == Some(""),
        }
    }

    /// Returns true if a reading of a path is under this pattern.
    pub(super) fn matches(&self, path: &str) -> bool {
        match self.prefix() {
            None => self.0 == path,
            Some(prefix) => path
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.starts_with('/') || (rest.is_empty() && !prefix.is_empty())),
        }
    }

    /// Returns true if the pattern is exact, and equal to this path.
    pub(super) fn is(&self, path: &str) -> bool {
        self.prefix().is_none() && self.0 == path
    }

    /// Returns true if the pattern is exact, and equal to this path give or take a slash at the end.
    pub(super) fn is_but_for_the_slash(&self, path: &str) -> bool {
        let one_more = |longer: &str, shorter: &str| longer.strip_suffix('/') == Some(shorter);
        self.prefix().is_none() && (one_more(&self.0, path) || one_more(path, &self.0))
    }

    /// Returns the names of the pattern.
    pub(super) fn segments(&self) -> impl Iterator<Item = &str> {
        self.prefix().unwrap_or(&self.0).split('/').filter(|segment| !segment.is_empty())
    }

    /// Returns the part before `/*`.
    fn prefix(&self) -> Option<&str> {
        self.0.strip_suffix("/*")
    }
}

/// Returns true if a character has one meaning in a path, and needs no encoding (RFC 3986 section 3.3) except for other
/// scripts.
fn is_clean(character: char) -> bool {
    match character {
        '/' | '-' | '.' | '_' | '~' | '!' | '$' | '&' | '\'' | '(' | ')' | '+' | ',' | '=' | ':' | '@' => true,
        _ if character.is_ascii() => character.is_ascii_alphanumeric(),
        _ => !character.is_control() && !character.is_whitespace() && marks_in(character).is_none(),
    }
}

/// Returns true if some server drops names of such characters alone, or reads them as dots.
fn may_be_left_out(character: char) -> bool {
    character == '.' || may_fall_away(character)
}

/// Explains why a pattern cannot have this character.
fn refused(character: char) -> NotAPattern {
    let problem = |expected: &str| format!("expected {expected}, got `{character}`");
    match character {
        '*' => NotAPattern::new(
            "expected `*` as the last segment only, got it elsewhere",
            "write a prefix, as in `/orders/*`",
        ),
        '%' => NotAPattern::new(
            problem("a decoded path"),
            "write the character itself: encoded spellings are found by themselves",
        ),
        '?' | '#' => NotAPattern::new(problem("a path alone"), "routes do not look at query and fragment"),
        '\\' => NotAPattern::new(problem("`/` between segments"), "write `/`"),
        ';' => NotAPattern::new(problem("a path without parameters"), "leave them out: they are read both ways"),
        '{' | '}' | '<' | '>' | '[' | ']' => {
            NotAPattern::new(problem("a path or a prefix"), "there are no variables: write `/*` in place of the first")
        }
        _ if character.is_control() => NotAPattern::new("expected a path, got a control character", "remove it"),
        _ => NotAPattern::new(problem("a character that needs no encoding in a path"), PROTECT_THE_PREFIX),
    }
}
