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

/// Cuts a text, and replaces characters that could control a terminal.
fn cut(text: &str) -> String {
    const LONGEST: usize = 256;
    let is_visible = |character: char| character.is_alphanumeric() || matches!(character, ' '..='~');
    let visible = |character| if is_visible(character) { character } else { '\u{fffd}' };
    let mut cut: String = text.chars().take(LONGEST).map(visible).collect();
    if text.chars().nth(LONGEST).is_some() {
        cut.push('…');
    }
    cut
}
