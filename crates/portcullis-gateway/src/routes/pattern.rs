//! The pattern of a route.

use super::units::{STREAM, marks_in, may_fall_away, names_stream};

/// A path of a route: exact, or a prefix with `/*`. A segment `*` before the end stands for any name.
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

/// The segment that stands for any name.
pub(super) const ANY: &str = "*";

/// The first character of a variable in other notations (Express, Rails): as a literal, it would leave the real paths to a later route.
const VARIABLE: char = ':';

const NO_NAMES: &str = "variables have no names: write `*` in place of each";

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
        let segments = || path.split('/').skip(1);
        let names = || segments().filter(|segment| *segment != ANY);
        if let Some(name) = names().find(|name| name.contains(ANY)) {
            let problem = format!("expected `*` as a whole segment, got `{name}`");
            let help = "write `*` for one segment, as in `/tenants/*/orders`, and `/*` at the end for everything below";
            return Err(NotAPattern::new(problem, help));
        }
        if let Some(character) = names().flat_map(str::chars).find(|&character| !is_clean(character)) {
            return Err(refused(character));
        }
        if segments().any(|segment| matches!(segment, "." | "..")) {
            let problem = "expected a path without dot segments, got `.` or `..`";
            return Err(NotAPattern::new(problem, "write the resolved path"));
        }
        if let Some(name) = names().find(|name| name.starts_with(VARIABLE)) {
            let problem = format!("expected a path or a prefix, got `{name}`");
            return Err(NotAPattern::new(problem, NO_NAMES));
        }
        if names_stream(path.chars()) {
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

    /// Returns true if each path under the other pattern is under this one; `*` of the other is a name like any.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self.prefix(), other.prefix()) {
            (None, Some(_)) => false,
            (_, prefix) => self.matches(prefix.unwrap_or(&other.0)) || self.prefix() == Some(""),
        }
    }

    /// Returns true if some path is under both patterns.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        let segments = |pattern: &'_ Self| pattern.body().split('/').skip(1).map(str::to_owned).collect::<Vec<_>>();
        let (own, others) = (segments(self), segments(other));
        let is_shared = own.iter().zip(&others).all(|(own, other)| is_named(own, other) || is_named(other, own));
        let reaches = |pattern: &Self, own: usize, other: usize| own >= other || pattern.prefix().is_some();
        is_shared && reaches(self, own.len(), others.len()) && reaches(other, others.len(), own.len())
    }

    /// Returns true if some path is under both patterns where letter case does not count, and none where it does.
    pub(crate) fn meets_in_another_case_alone(&self, other: &Self) -> bool {
        let small = |pattern: &Self| Self(pattern.0.to_ascii_lowercase());
        !self.meets(other) && small(self).meets(&small(other))
    }

    /// Returns true if a reading of a path is under this pattern.
    pub(super) fn matches(&self, path: &str) -> bool {
        match self.prefix() {
            None => is_same(&self.0, path),
            Some(prefix) => behind(prefix, path)
                .is_some_and(|rest| rest.starts_with('/') || (rest.is_empty() && !prefix.is_empty())),
        }
    }

    /// Returns true if the pattern is exact, and equal to this path.
    pub(super) fn is(&self, path: &str) -> bool {
        self.prefix().is_none() && is_same(&self.0, path)
    }

    /// Returns true if the pattern is exact, and equal to this path give or take a slash at the end.
    pub(super) fn is_but_for_the_slash(&self, path: &str) -> bool {
        let own = self.0.as_str();
        let has_one_more = || own.strip_suffix('/').is_some_and(|shorter| is_same(shorter, path));
        let has_one_less = || path.strip_suffix('/').is_some_and(|shorter| is_same(own, shorter));
        self.prefix().is_none() && (has_one_more() || has_one_less())
    }

    /// Returns the names of the pattern.
    pub(super) fn segments(&self) -> impl Iterator<Item = &str> {
        self.body().split('/').filter(|segment| !segment.is_empty())
    }

    /// Returns the pattern without `/*` at its end.
    fn body(&self) -> &str {
        self.prefix().unwrap_or(&self.0)
    }

    /// Returns the part before `/*`.
    fn prefix(&self) -> Option<&str> {
        self.0.strip_suffix("/*")
    }
}

/// Returns true if these segments lead to this path, and no further.
fn is_same(pattern: &str, path: &str) -> bool {
    behind(pattern, path) == Some("")
}

/// Returns the rest of a path behind these segments, if it begins with them.
fn behind<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    if !pattern.contains(ANY) {
        return path.strip_prefix(pattern);
    }
    pattern.split('/').skip(1).try_fold(path, |path, segment| {
        let path = path.strip_prefix('/')?;
        let (name, rest) = path.split_at_checked(path.find('/').unwrap_or(path.len()))?;
        is_named(segment, name).then_some(rest)
    })
}

/// Returns true if a segment of a pattern stands for this name. No empty name is one: servers differ about them.
fn is_named(segment: &str, name: &str) -> bool {
    segment == name || (segment == ANY && !name.is_empty())
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
        '%' => NotAPattern::new(
            problem("a decoded path"),
            "write the character itself: encoded spellings are found by themselves",
        ),
        '?' | '#' => NotAPattern::new(problem("a path alone"), "routes do not look at query and fragment"),
        '\\' => NotAPattern::new(problem("`/` between segments"), "write `/`"),
        ';' => NotAPattern::new(problem("a path without parameters"), "leave them out: they are read both ways"),
        '{' | '}' | '<' | '>' | '[' | ']' => NotAPattern::new(problem("a path or a prefix"), NO_NAMES),
        _ if character.is_control() => NotAPattern::new("expected a path, got a control character", "remove it"),
        _ => NotAPattern::new(problem("a character that needs no encoding in a path"), PROTECT_THE_PREFIX),
    }
}
