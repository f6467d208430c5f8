//! Plain words: the rules of CONTRIBUTING.md, "Prose", that can be read off a line.
//!
//! A doc comment does not begin with a relative or interrogative word, and an error says "expected X, got Y".

use std::fs;

use crate::{Result, kept, shell};

/// The old word for "got", in a constant so that this file passes its own check.
const CAME: &str = " came";

/// The words that begin no doc comment, each with a remedy.
const FIRST_WORDS: [(&str, &str); 11] = [
    ("Whether", "write \"True if …\" for a field, \"Tells whether …\" for a function"),
    ("How", "name the quantity or the manner, as in \"The number of …\""),
    ("What", "name the thing, as in \"The claims …\""),
    ("Whatever", "name the thing, as in \"Any value …\""),
    ("Who", "name the actor, as in \"The client …\""),
    ("Whoever", "name the actor, as in \"A client that …\""),
    ("That", "name the thing, as in \"Evidence that …\""),
    ("Which", "name the thing, as in \"The key that …\""),
    ("Where", "name the place, as in \"The file of …\""),
    ("When", "name the time, as in \"The time of …\""),
    ("If", "write \"True if …\", or begin with a verb"),
];

/// Fails with a line for each breach in the sources and the pages.
pub(crate) fn check() -> Result {
    let mut faults = Vec::new();
    for file in shell::files(["*.rs", "*.js", "*.mjs", "*.ts", "*.md"])? {
        let text = fs::read_to_string(shell::root().join(&file)).map_err(|error| format!("{file}: {error}"))?;
        faults.extend(faults_of(&file, &text));
    }
    kept("plain words (CONTRIBUTING.md, Prose)", &faults)
}

/// Returns a line for each fault in a file.
fn faults_of(file: &str, text: &str) -> Vec<String> {
    let (mut faults, mut before) = (Vec::new(), "");
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if let Some((word, remedy)) = beginning(file, before, line).and_then(first_word) {
            faults.push(format!("{file}:{number}: a doc comment begins with \"{word}\": {remedy}"));
        }
        if says_came(line) {
            faults.push(format!("{file}:{number}: an error says \"expected X, Y{CAME}\": write \"expected X, got Y\""));
        }
        before = line;
    }
    faults
}

/// Returns the text of a line that is the first of a doc comment, given the line before.
fn beginning<'a>(file: &str, before: &str, line: &'a str) -> Option<&'a str> {
    let rust = |line: &'a str| line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
    let text = match file.rsplit('.').next()? {
        "rs" => rust(line).filter(|_| !before.starts_with("///") && !before.starts_with("//!")),
        "md" => None,
        _ => line.strip_prefix("/**").or_else(|| line.strip_prefix('*').filter(|_| before == "/**")),
    };
    text.map(str::trim)
}

fn first_word(text: &str) -> Option<(&'static str, &'static str)> {
    let word = text.split(|letter: char| !letter.is_alphabetic()).next()?;
    FIRST_WORDS.into_iter().find(|(first, _)| *first == word)
}

fn says_came(line: &str) -> bool {
    let stated = line.split_once("expected ").filter(|(before, _)| !before.ends_with('.'));
    let got = stated.and_then(|(_, rest)| rest.split_once(", "));
    got.is_some_and(|(_, got)| got.split(CAME).skip(1).any(|rest| !rest.starts_with(char::is_alphanumeric)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doc_comment_begins_with_a_verb_or_a_noun() {
        let table = [
            ("a.rs", "    /// Whether it passed.", 1),
            ("a.rs", "//! How it works.\n//!\n//! Whatever follows.", 1),
            ("a.rs", "/// Returns the key,\n/// if there is one.\n/// That is all.\nstruct S;\n/// What came.", 1),
            ("a.rs", "/// Whichever word.\n// Who reads a plain comment?", 0),
            ("a.ts", "/** Where the token is. */", 1),
            ("a.js", "/**\n * When it expires,\n * if it does.\n */", 1),
            ("a.js", "/**\n * Parses a key.\n * If it can.\n */", 0),
            ("a.md", "/// Whether markdown counts.", 0),
        ];
        for (file, text, count) in table {
            assert_eq!(faults_of(file, text).len(), count, "{text}");
        }
    }

    #[test]
    fn an_error_says_got() {
        for file in ["a.rs", "a.js", "a.md"] {
            assert_eq!(faults_of(file, &format!("\"expected an https URL, `{{url}}`{CAME}: use it\"")).len(), 1);
            assert_eq!(faults_of(file, "\"expected an https URL, got `{url}`\"").len(), 0);
            assert_eq!(faults_of(file, &format!("the expected token{CAME}")).len(), 0);
            assert_eq!(faults_of(file, "format!(\"expected `{}`, got none\", camel_case(field))").len(), 0);
        }
        let fault = faults_of("a.rs", "x\n/// Whoever asks.");
        assert_eq!(fault, ["a.rs:2: a doc comment begins with \"Whoever\": name the actor, as in \"A client that …\""]);
    }
}
