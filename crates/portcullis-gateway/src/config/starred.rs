//! What a report may show of a text that has secrets in it, though none should be there.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// The text as a report may show it: with stars for each secret that stands in it.
///
/// `whole` says whether the text was parsed to its end; if not, what is on a line after a secret's key is starred, too.
pub(super) fn starred(text: &str, document: &DeTable<'_>, whole: bool) -> String {
    let mut places = Vec::new();
    collect(document, &mut places);
    if !whole {
        places.extend(lines_of_secrets(text));
    }
    let is_secret = |at: usize| places.iter().any(|place| place.contains(&at));
    let star = |(at, character): (usize, char)| match character {
        '\n' | '\r' => character.to_string(),
        // As many bytes as before: reports point at bytes.
        _ if is_secret(at) => "*".repeat(character.len_utf8()),
        _ => character.to_string(),
    };
    text.char_indices().map(star).collect()
}

fn is_secret_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let named = ["secret", "passw", "passphrase", "private_key", "key_pem"].iter().any(|word| key.contains(word));
    named && !key.ends_with("_file") && !key.ends_with("_env")
}

fn collect(table: &DeTable<'_>, places: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        collect_value(is_secret_key(key.get_ref()), value.span(), value.get_ref(), places);
    }
}

fn collect_value(secret: bool, place: Range<usize>, value: &DeValue<'_>, places: &mut Vec<Range<usize>>) {
    match value {
        DeValue::Table(table) => collect(table, places),
        DeValue::Array(values) => {
            values.iter().for_each(|value| collect_value(secret, value.span(), value.get_ref(), places));
        }
        DeValue::String(text) if secret || text.contains("-----BEGIN") || has_password(text) => places.push(place),
        DeValue::Integer(_) | DeValue::Float(_) if secret => places.push(place),
        _ => {}
    }
}

/// Whether a URL has somebody's name or password before its host.
fn has_password(text: &str) -> bool {
    text.split_once("://").is_some_and(|(_, rest)| rest.contains('@'))
}

/// From a secret's key to the end of its line, wherever one seems to stand.
fn lines_of_secrets(text: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut places = Vec::new();
    for line in text.split_inclusive('\n') {
        let mut offset = 0;
        for piece in line.split_inclusive('=') {
            offset += piece.len();
            let key = piece.trim_end_matches('=').trim().trim_matches(['"', '\'']);
            let key = key.rsplit(|character: char| !character.is_alphanumeric() && !"_-".contains(character)).next();
            if piece.ends_with('=') && key.is_some_and(is_secret_key) {
                places.push(start + offset..start + line.len());
            }
        }
        if has_password(line) || line.contains("-----BEGIN") {
            places.push(start..start + line.len());
        }
        start += line.len();
    }
    places
}
