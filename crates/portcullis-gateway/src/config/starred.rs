//! The masking of secrets in a text that a report shows, though it should have none.
//!
//! Of valid TOML everything is shown except the values of keys named like a secret, URLs with credentials or a query,
//! PEM, and the reader's hidden values: those of unknown keys (unless a harmless key was probably meant), and of
//! `…_file` and `…_env` without a file or variable of that name (the value may be the secret). Of invalid TOML no value
//! is shown.

use std::ops::Range;

use toml::de::{DeTable, DeValue};
use url::Url;

use super::problem::Places;

/// Returns the text with stars for secrets; without a document, the text is invalid TOML.
///
/// It has no character that steers a terminal, and each place stays where it was: reports point at bytes.
pub(super) fn starred(text: &str, document: Option<&DeTable<'_>>, hidden: &Places) -> String {
    let mut places = hidden.clone();
    match document {
        Some(document) => {
            collect(document, &mut places);
            places.extend(comments_with_secrets(text, document));
        }
        None => places.extend(values_of_lines(text)),
    }
    // Invalid TOML usually has its mistake among these.
    let is_structure = |character: char| {
        character.is_whitespace() && character.is_ascii() || document.is_none() && "\"'[]{},=".contains(character)
    };
    let is_secret = |at: usize| places.iter().any(|place| place.contains(&at));
    let shown = |(at, character): (usize, char)| match character {
        _ if is_secret(at) && !is_structure(character) => "*".repeat(character.len_utf8()),
        '\n' | '\t' => character.to_string(),
        '\r' if text.get(at..).is_some_and(|rest| rest.starts_with("\r\n")) => character.to_string(),
        _ if crate::terminal::is_dangerous(character) => mark(character).to_owned(),
        _ => character.to_string(),
    };
    text.char_indices().map(shown).collect()
}

/// Returns a stand-in of the same length for a character that steers a terminal.
fn mark(character: char) -> &'static str {
    match character.len_utf8() {
        1 => "?",
        2 => "\u{b7}",
        3 => "\u{fffd}",
        _ => "\u{fffd}?",
    }
}

fn is_secret_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let words = ["secret", "passw", "passphrase", "private_key", "key_pem", "credential", "request_fields"];
    let is_named = words.iter().any(|word| key.contains(word)) || key.ends_with("token");
    is_named && !key.ends_with("_file") && !key.ends_with("_env")
}

/// Returns true if a key is named like one of a secret, or of a file with one.
pub(super) fn may_be_secret(key: &str) -> bool {
    let words = ["secr", "pass", "pw", "key", "jwk", "pem", "token", "cred", "auth"];
    words.iter().any(|word| key.to_ascii_lowercase().contains(word))
}

fn collect(table: &DeTable<'_>, places: &mut Places) {
    for (key, value) in table {
        let is_secret = is_secret_key(key.get_ref()) || is_no_name_of_a_secret(key.get_ref(), value.get_ref());
        collect_value(is_secret, value.span(), value.get_ref(), places);
    }
}

/// Returns true if a key needs the name of a file or a variable, and has another text: possibly a secret.
fn is_no_name_of_a_secret(key: &str, value: &DeValue<'_>) -> bool {
    let key = key.to_ascii_lowercase();
    (key.ends_with("_file") || key.ends_with("_env")) && value.as_str().is_none_or(|name| name.contains(['\n', '\r']))
}

fn collect_value(secret: bool, place: Range<usize>, value: &DeValue<'_>, places: &mut Places) {
    match value {
        DeValue::Table(table) if secret => all_of(table, places),
        DeValue::Table(table) => collect(table, places),
        DeValue::Array(values) => {
            values.iter().for_each(|value| collect_value(secret, value.span(), value.get_ref(), places));
        }
        DeValue::String(text) if !secret && !is_revealing(text) => {}
        DeValue::Boolean(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) if !secret => {}
        _ => places.push(place),
    }
}

/// Returns the places of all values below a key.
pub(super) fn everything(value: &DeValue<'_>, place: Range<usize>) -> Places {
    let mut places = Vec::new();
    collect_value(true, place, value, &mut places);
    places
}

fn all_of(table: &DeTable<'_>, places: &mut Places) {
    for value in table.values() {
        collect_value(true, value.span(), value.get_ref(), places);
    }
}

/// Returns true if a text is a key, or a URL with credentials or a query, even a malformed one.
fn is_revealing(text: &str) -> bool {
    let behind = |mark: &str| text.split_once(mark).map_or("", |(_, rest)| rest);
    text.contains("-----BEGIN")
        || behind("://").contains(['@', '?', '#'])
        || behind(":").contains('@')
        || behind("?").contains('=')
}

/// Returns a value for people, without credentials or a query that may hold some.
pub(crate) fn without_secrets(text: &str) -> String {
    if !is_revealing(text) {
        return text.to_owned();
    }
    Url::parse(text).ok().and_then(bare).map_or_else(|| "(not shown)".to_owned(), String::from)
}

/// Returns scheme, host and path of a URL; none if it has no host.
fn bare(mut url: Url) -> Option<Url> {
    url.set_username("").and_then(|()| url.set_password(None)).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url)
}

/// Returns comments that seem to hold a secret, as in `# client_secret = "…"`.
fn comments_with_secrets(text: &str, document: &DeTable<'_>) -> Places {
    let mut values = Vec::new();
    all_of(document, &mut values);
    let is_value = |at: usize| values.iter().any(|place| place.contains(&at));
    let mut start = 0;
    let mut places = Vec::new();
    for line in text.split_inclusive('\n') {
        let comment = line.match_indices('#').map(|(at, _)| start + at).find(|at| !is_value(*at));
        let end = start + line.len();
        if let Some(comment) = comment.and_then(|at| text.get(at..end)) {
            let place = end - comment.len()..end;
            let mut keys = comment.split(|character: char| !character.is_alphanumeric() && character != '_');
            if is_revealing(comment) || (comment.contains(['=', ':']) && keys.any(is_secret_key)) {
                places.push(place);
            }
        }
        start = end;
    }
    places
}

/// Returns the rest of each line behind its key, or the whole line; the names of tables are shown.
fn values_of_lines(text: &str) -> Places {
    let mut start = 0;
    let mut places = Vec::new();
    for line in text.split_inclusive('\n') {
        let is_name =
            |name: &str| name.chars().all(|letter| letter.is_ascii_lowercase() || "_.- \"'[]".contains(letter));
        let is_table = line.starts_with('[') && is_name(line.trim_end());
        let key = line.split_once('=').filter(|(key, value)| is_name(key) && !value.starts_with('='));
        let end = start + line.len();
        match key {
            _ if is_table => {}
            Some((key, _)) => places.push(start + key.len()..end),
            None => places.push(start..end),
        }
        start = end;
    }
    places
}
