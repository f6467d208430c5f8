//! The pieces of a path: the text between two characters that may divide it. A piece may be a segment.

use super::{
    tree::Case,
    units::{Unit, begins_stream, may_fall_away, names_stream},
};

/// The text between two characters that may divide a path, which are `/` and `\` in any spelling.
#[derive(Debug)]
pub(super) struct Piece {
    /// The text before the first character that may cut it.
    pub(super) head: Head,
    pub(super) cut: Cut,
    /// True if the text from the cut on joins the next piece where `../` or `./` is removed.
    pub(super) tail_runs_on: bool,
    /// The character that divides it from the next.
    pub(super) after: After,
}

#[derive(Debug)]
pub(super) enum Head {
    /// Nothing; with `blanks`, characters such as spaces that may be dropped.
    Empty {
        blanks: bool,
    },
    /// Dots alone; `sure` if they and their dividers can be read in one way.
    Dots {
        count: usize,
        sure: bool,
    },
    Name(Name),
}

#[derive(Debug)]
pub(super) struct Name {
    /// The name, if every server sees it.
    pub(super) exact: Option<String>,
    /// The names that servers may fold it to.
    pub(super) folded: Vec<String>,
    /// True if it joins the next piece where `../` or `./` is removed.
    pub(super) runs_on: bool,
    /// The number of its dots, if these are left to lead up where only ASCII is kept: `.ü.` is a name, and may be `..`.
    pub(super) dots: Option<usize>,
}

/// A place at which a server may stop reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    Nowhere,
    /// At a `;`, or the stream of a file: up to the next segment, or for good.
    AtParameters,
    /// At a `?` or a `#`, for good.
    AtQuery,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// By a literal `/`.
    Divided,
    /// By a character that divides or is part of a name: `\`, or an encoded slash.
    PerhapsDivided,
    End,
}

/// Returns the pieces of a path behind its first slash.
pub(super) fn pieces(units: &[Unit], case: Case) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let (mut before, mut rest) = (After::Divided, units.get(1..).unwrap_or_default());
    // In any piece: a character between two may be part of a name.
    let has_stream = names_stream(units.iter().map(|unit| unit.character));
    loop {
        let end = rest.iter().position(|unit| matches!(unit.character, '/' | '\\'));
        let (text, others) = rest.split_at(end.unwrap_or(rest.len()));
        let after = match others.first() {
            None => After::End,
            Some(Unit { character: '/', sure: true, .. }) => After::Divided,
            Some(_) => After::PerhapsDivided,
        };
        pieces.push(Piece::new(text, (before, after), has_stream, case));
        let Some((_, others)) = others.split_first() else { break };
        (before, rest) = (after, others);
    }
    // Where a name may vanish, the parent of `..` is not sure.
    let all_stay = !pieces.iter().any(|piece| matches!(&piece.head, Head::Name(name) if name.vanishes()));
    for piece in &mut pieces {
        if let Head::Dots { sure, .. } = &mut piece.head {
            *sure &= all_stay;
        }
    }
    pieces
}

impl Name {
    /// Returns true if nothing of it is left where only ASCII is kept.
    pub(super) fn vanishes(&self) -> bool {
        self.folded.iter().any(String::is_empty)
    }
}

impl Piece {
    /// Returns true if servers may join the piece with the next, divide it, cut it off, or leave it out.
    pub(super) fn is_odd(&self) -> bool {
        let is_last = self.after == After::End;
        let is_calm = match &self.head {
            Head::Empty { blanks } => is_last && !blanks,
            Head::Dots { .. } => false,
            Head::Name(name) => !name.runs_on && !name.vanishes(),
        };
        !is_calm || self.cut != Cut::Nowhere || self.after == After::PerhapsDivided
    }

    /// Returns true if it joins the next piece where `../` or `./` is removed.
    pub(super) fn may_run_on(&self) -> bool {
        self.tail_runs_on
            || match &self.head {
                Head::Empty { .. } => false,
                Head::Dots { .. } => true,
                Head::Name(name) => name.runs_on,
            }
    }

    fn new(text: &[Unit], (before, after): (After, After), has_stream: bool, case: Case) -> Self {
        let cuts =
            |unit: &Unit| matches!(unit.character, ';' | '?' | '#') || (has_stream && begins_stream(unit.character));
        let first = text.iter().position(cuts);
        let (head, tail) = text.split_at(first.unwrap_or(text.len()));
        let cut = match tail.iter().any(|unit| matches!(unit.character, '?' | '#')) {
            true => Cut::AtQuery,
            false if tail.is_empty() => Cut::Nowhere,
            false => Cut::AtParameters,
        };
        let divided = before != After::PerhapsDivided && after != After::PerhapsDivided;
        let tail_runs_on = after != After::End && ends_with_a_dot(tail);
        Self { head: Head::new(head, divided, after, case), cut, tail_runs_on, after }
    }
}

impl Head {
    fn new(units: &[Unit], divided: bool, after: After, case: Case) -> Self {
        let mut shown = units.iter().filter(|unit| !may_fall_away(unit.character)).peekable();
        if shown.peek().is_none() {
            return Self::Empty { blanks: !units.is_empty() };
        }
        let count = units.iter().filter(|unit| unit.character == '.').count();
        if shown.clone().all(|unit| unit.character == '.') {
            return Self::Dots { count, sure: divided && count == units.len() && units.iter().all(|unit| unit.sure) };
        }
        // `.ü` is no more than a name, and so is `ü...` at the end.
        let climbs = count == 2 || (count > 2 && after != After::End);
        let is_dots_alone = climbs && shown.all(|unit| unit.character == '.' || !unit.character.is_ascii());
        let text: String = units.iter().map(|unit| unit.character).collect();
        Self::Name(Name {
            folded: case.foldings(&text),
            runs_on: after != After::End && (is_dots_alone || ends_with_a_dot(units)),
            dots: is_dots_alone.then_some(count),
            exact: units.iter().all(|unit| unit.sure).then_some(text),
        })
    }
}

/// Returns true if the last character that no server drops is a dot.
fn ends_with_a_dot(text: &[Unit]) -> bool {
    text.iter().rev().find(|unit| !may_fall_away(unit.character)).is_some_and(|unit| unit.character == '.')
}
