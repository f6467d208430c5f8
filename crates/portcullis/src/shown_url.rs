//! URLs as people and logs may see them: without what may be secret.

use url::Url;

/// The URL for logs: without credentials and query, and of limited length.
pub(crate) fn shown(url: &Url) -> String {
    cut(&format!("{}{}", url.origin().ascii_serialization(), url.path()))
}

/// The same for an untrusted text that is no URL.
pub(crate) fn without_secrets(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    let separator = if scheme.is_empty() { "" } else { "://" };
    let rest = rest.rsplit_once('@').map_or(rest, |(_credentials, rest)| rest);
    cut(&format!("{scheme}{separator}{rest}"))
}

/// The same, with a mark in place of each part that is left out, so that a reader sees what the text has.
pub(crate) fn marked(text: &str) -> String {
    let before = text.split(['?', '#']).next().unwrap_or_default();
    let divider = text.get(before.len()..).and_then(|rest| rest.chars().next());
    let (scheme, rest) = before.split_once("://").map_or(("", before), |(scheme, rest)| (scheme, rest));
    let separator = if scheme.is_empty() { "" } else { "://" };
    let rest = rest.rsplit_once('@').map_or(rest.to_owned(), |(_credentials, rest)| format!("…@{rest}"));
    cut(&format!("{scheme}{separator}{rest}{}", divider.map_or(String::new(), |divider| format!("{divider}…"))))
}

/// Cuts a text, and replaces characters that could control a terminal.
fn cut(text: &str) -> String {
    const LONGEST: usize = 256;
    let is_visible = |character: char| character.is_alphanumeric() || matches!(character, ' '..='~' | '…');
    let visible = |character| if is_visible(character) { character } else { '\u{fffd}' };
    let mut cut: String = text.chars().take(LONGEST).map(visible).collect();
    if text.chars().nth(LONGEST).is_some() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_secret_is_marked() {
        for (text, expected) in [
            ("https://api.example.com/orders", "https://api.example.com/orders"),
            ("https://api.example.com/orders#1", "https://api.example.com/orders#…"),
            ("https://api.example.com/?key=hunter2#x", "https://api.example.com/?…"),
            ("https://user:hunt@er2@api.example.com", "https://…@api.example.com"),
            ("user:hunter2@api.example.com", "…@api.example.com"),
            ("https://@api.example.com", "https://…@api.example.com"),
            ("é?hunter2", "é?…"),
            ("", ""),
        ] {
            assert_eq!(marked(text), expected, "{text}");
        }
    }
}
