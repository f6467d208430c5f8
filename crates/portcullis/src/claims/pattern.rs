//! A pattern with `*` for a text.

/// A pattern in which `*` matches any run of characters, also an empty one, and also `/`.
///
/// It has to match the whole text. A match takes time linear in the text: each piece between stars is searched for once,
/// after the piece before it, and its first occurrence is taken, since a later one leaves less text for the other pieces.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    text: String,
    /// The pieces around the stars, cut once; none if there is no star.
    pieces: Option<Pieces>,
}

#[derive(Debug, Clone)]
struct Pieces {
    first: String,
    /// Those between two stars, without empty ones.
    middle: Vec<String>,
    last: String,
}

impl Pattern {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { pieces: Pieces::of(&text), text }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        self.pieces.as_ref().map_or_else(|| self.text == text, |pieces| pieces.are_in(text))
    }
}

impl Pieces {
    fn of(pattern: &str) -> Option<Self> {
        let (first, rest) = pattern.split_once('*')?;
        let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
        let middle = middle.split('*').filter(|piece| !piece.is_empty()).map(str::to_owned).collect();
        Some(Self { first: first.to_owned(), middle, last: last.to_owned() })
    }

    fn are_in<'a>(&self, text: &'a str) -> bool {
        // The two ends must not share characters: `ab*b` does not match `ab`.
        let between = text.strip_prefix(self.first.as_str()).and_then(|text| text.strip_suffix(self.last.as_str()));
        let Some(between) = between else { return false };
        let behind = |text: &'a str, piece: &String| text.split_once(piece.as_str()).map(|(_, behind)| behind);
        self.middle.iter().try_fold(between, behind).is_some()
    }
}
