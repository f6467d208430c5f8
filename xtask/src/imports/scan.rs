//! Reads the names out of Rust code: enough of its grammar to tell code from comments, strings and
//! tests, and to take `use a::{b, c::d}` apart.

use std::{fmt, iter::Peekable, str::Chars};

/// A path in the code, such as `crate::jwks::Snapshot`.
#[derive(Debug, PartialEq)]
pub(super) struct Name {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) segments: Vec<String>,
    /// Whether it stands in a `use`.
    pub(super) imported: bool,
    /// The name after `as`.
    alias: Option<String>,
}

impl Name {
    /// The name that an import makes visible.
    pub(super) fn visible(&self) -> Option<&str> {
        self.alias.as_ref().or(self.segments.last()).map(String::as_str)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.segments.join("::"))
    }
}

/// A keyword in the code.
#[derive(Debug, PartialEq)]
pub(super) struct Found {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) what: &'static str,
}

/// All paths in the code; a group gives one for each of its members.
pub(super) fn names(text: &str) -> Vec<Name> {
    let tokens = without_tests(tokens(text));
    let mut reader = Reader { rest: &tokens, names: Vec::new() };
    let mut importing = false;
    let mut after_dot = false;
    while let Some(token) = reader.peek() {
        match &token.kind {
            Kind::Word(word) if word == "use" => {
                importing = true;
                reader.skip();
            }
            Kind::Word(_) if !after_dot => {
                reader.path(Vec::new(), importing);
                importing = false;
            }
            Kind::Open('{') if importing => {
                reader.group(&[]);
                importing = false;
            }
            Kind::PathSeparator => reader.skip(),
            _ => {
                importing = false;
                reader.skip();
            }
        }
        after_dot = token.kind == Kind::Other('.');
    }
    reader.names
}

/// Each `async` and `.await` in the code.
pub(super) fn keywords(text: &str) -> Vec<Found> {
    let tokens = without_tests(tokens(text));
    let found = tokens.iter().filter_map(|token| {
        let what = ["async", "await"].into_iter().find(|what| token.is_word(what))?;
        Some(Found { line: token.line, what })
    });
    found.collect()
}

struct Reader<'t> {
    rest: &'t [Token],
    names: Vec<Name>,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<&'t Token> {
        self.rest.first()
    }

    fn skip(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    fn word(&mut self) -> Option<(usize, &'t str)> {
        let Token { line, kind: Kind::Word(word) } = self.peek()? else {
            return None;
        };
        self.skip();
        Some((*line, word))
    }

    /// Whether this token comes next; it is taken if so.
    fn takes(&mut self, kind: &Kind) -> bool {
        let next = self.peek().is_some_and(|token| token.kind == *kind);
        if next {
            self.skip();
        }
        next
    }

    /// A path from its first word on, as one name or as a group of them.
    fn path(&mut self, mut segments: Vec<String>, imported: bool) {
        let mut line = 0;
        while let Some((at, word)) = self.word() {
            line = at;
            segments.push(word.to_owned());
            if !self.takes(&Kind::PathSeparator) {
                break;
            }
            if self.peek().is_some_and(|token| token.kind == Kind::Open('{')) {
                return self.group(&segments);
            }
        }
        if segments.len() > 1 {
            segments.pop_if(|last| last == "self");
        }
        let renamed = imported && self.peek().is_some_and(|token| token.is_word("as"));
        let alias = renamed.then(|| {
            self.skip();
            self.word().map(|(_, word)| word.to_owned())
        });
        self.names.push(Name { line, segments, imported, alias: alias.flatten() });
    }

    /// `{a, b::c, d::{e}}` behind a prefix.
    fn group(&mut self, prefix: &[String]) {
        self.skip();
        while let Some(token) = self.peek() {
            match token.kind {
                Kind::Word(_) => self.path(prefix.to_vec(), true),
                Kind::Close('}') => return self.skip(),
                Kind::Open('{') => self.group(prefix),
                _ => self.skip(),
            }
        }
    }
}

#[derive(Debug)]
struct Token {
    line: usize,
    kind: Kind,
}

#[derive(Debug, PartialEq)]
enum Kind {
    Word(String),
    PathSeparator,
    Open(char),
    Close(char),
    Other(char),
}

impl Token {
    fn is_word(&self, wanted: &str) -> bool {
        matches!(&self.kind, Kind::Word(word) if word == wanted)
    }
}

/// Leaves out each item under `#[cfg(test)]`.
fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut rest = tokens.into_iter();
    while let Some(token) = rest.next() {
        kept.push(token);
        if ends_with_cfg_test(&kept) {
            let mut depth = 0_usize;
            for token in rest.by_ref() {
                match token.kind {
                    Kind::Open(_) => depth += 1,
                    Kind::Close(bracket) => {
                        depth = depth.saturating_sub(1);
                        if depth == 0 && bracket == '}' {
                            break;
                        }
                    }
                    Kind::Other(';') if depth == 0 => break,
                    _ => {}
                }
            }
        }
    }
    kept
}

fn ends_with_cfg_test(tokens: &[Token]) -> bool {
    let ends_with = |wanted: &[&str]| {
        let start = tokens.len().checked_sub(wanted.len());
        let end = start.and_then(|start| tokens.get(start..));
        end.is_some_and(|end| end.iter().zip(wanted).all(|(token, wanted)| token.reads(wanted)))
    };
    ends_with(&["#", "[", "cfg", "(", "test", ")", "]"])
}

impl Token {
    fn reads(&self, wanted: &str) -> bool {
        match &self.kind {
            Kind::Word(word) => word == wanted,
            Kind::PathSeparator => wanted == "::",
            Kind::Open(c) | Kind::Close(c) | Kind::Other(c) => wanted.chars().eq([*c]),
        }
    }
}

/// The tokens of the code, without comments, strings, characters and lifetimes.
fn tokens(text: &str) -> Vec<Token> {
    let mut source = Source { line: 1, rest: text.chars().peekable() };
    let mut tokens = Vec::new();
    while let Some(c) = source.next() {
        let line = source.line;
        let kind = match c {
            '/' if source.takes('/') => {
                source.skip_line();
                continue;
            }
            '/' if source.takes('*') => {
                source.skip_block_comment();
                continue;
            }
            '"' => {
                source.skip_string();
                continue;
            }
            '\'' => {
                source.skip_character_or_lifetime();
                continue;
            }
            ':' if source.takes(':') => Kind::PathSeparator,
            '{' | '(' | '[' => Kind::Open(c),
            '}' | ')' | ']' => Kind::Close(c),
            c if c.is_alphabetic() || c == '_' => {
                let word = source.word(c);
                if ["r", "br", "cr"].contains(&word.as_str()) && source.skip_raw_string() {
                    continue;
                }
                Kind::Word(word)
            }
            c if c.is_whitespace() => continue,
            c => Kind::Other(c),
        };
        tokens.push(Token { line, kind });
    }
    tokens
}

struct Source<'t> {
    line: usize,
    rest: Peekable<Chars<'t>>,
}

impl Source<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn takes(&mut self, wanted: char) -> bool {
        let next = self.rest.peek() == Some(&wanted);
        if next {
            self.next();
        }
        next
    }

    fn word(&mut self, first: char) -> String {
        let mut word = String::from(first);
        while let Some(&c) = self.rest.peek()
            && (c.is_alphanumeric() || c == '_')
        {
            word.push(c);
            self.next();
        }
        word
    }

    fn skip_line(&mut self) {
        while self.next().is_some_and(|c| c != '\n') {}
    }

    fn skip_block_comment(&mut self) {
        let mut depth = 1;
        while depth > 0
            && let Some(c) = self.next()
        {
            if c == '/' && self.takes('*') {
                depth += 1;
            } else if c == '*' && self.takes('/') {
                depth -= 1;
            }
        }
    }

    fn skip_string(&mut self) {
        while let Some(c) = self.next()
            && c != '"'
        {
            if c == '\\' {
                self.next();
            }
        }
    }

    /// After the `r` of `r"…"` or `r#"…"#`; false where it begins no string, as in `r#type`.
    fn skip_raw_string(&mut self) -> bool {
        let mut ahead = self.rest.clone();
        let mut hashes = 0;
        while ahead.next_if_eq(&'#').is_some() {
            hashes += 1;
        }
        if ahead.next() != Some('"') {
            return false;
        }
        for _ in 0..=hashes {
            self.next();
        }
        while let Some(c) = self.next() {
            if c == '"' && (0..hashes).all(|_| self.takes('#')) {
                break;
            }
        }
        true
    }

    /// After a `'`: a character to its end; of a lifetime nothing but the `'`.
    fn skip_character_or_lifetime(&mut self) {
        let mut ahead = self.rest.clone();
        let escaped = ahead.next() == Some('\\');
        if escaped {
            self.next();
            self.next();
            while self.next().is_some_and(|c| c != '\'') {}
        } else if ahead.next() == Some('\'') {
            self.next();
            self.next();
        } else {
            while self.rest.next_if(|c| c.is_alphanumeric() || *c == '_').is_some() {}
        }
    }
}
