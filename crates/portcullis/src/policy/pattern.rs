//! A pattern with `*` for a text.

/// A pattern in which `*` matches any run of characters, also an empty one, and also `/`.
///
/// It has to match the whole text. A match takes time linear in the text: each piece between stars is searched for once,
/// after the piece before it, and its first occurrence is taken, since a later one leaves less text for the other pieces.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    text: String,
}

impl Pattern {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.text.split_once('*') else { return self.text == text };
        let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
        // The two ends must not share characters: `ab*b` does not match `ab`.
        let Some(between) = text.strip_prefix(first).and_then(|text| text.strip_suffix(last)) else { return false };
        middle.split('*').try_fold(between, |text, piece| text.split_once(piece).map(|(_, behind)| behind)).is_some()
    }
}
