//! The search for all places that a path may lead to.
//!
//! A server goes through the pieces of a path from left to right, and has a choice at each. Servers that go over a path
//! several times reach no other places: each round leaves its rest for the next, and each `..` removes one piece only.
//! So every choice at every piece is searched; places that were reached before are not searched again.

use std::collections::BTreeSet;

use super::{
    Unrouted,
    pieces::{After, Cut, Head, Name, Piece},
    tree::{OTHER, Tree},
};

/// The limit on steps from one place to another; a path that takes more is ambiguous. No honest path does.
const MOST_STEPS: usize = 1 << 13;

/// A state that some server may be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    node: usize,
    /// True if the root begins with an empty segment: the next may be the authority of `//host/path` (RFC 3986 section
    /// 4.2).
    doubled: bool,
    /// The number of segments above that are in no pattern; their names do not matter.
    others: usize,
    /// True if the first of these is an empty segment, for which no `*` stands.
    is_first_empty: bool,
    reading: Reading,
}

/// A way to read the next piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reading {
    /// As the beginning of a segment.
    Segment,
    /// As the rest of a known segment, since the character before did not divide.
    Rest,
    /// As a segment whose name may end the one before.
    RunOn,
}

/// A place at which a path may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct End {
    node: usize,
    others: bool,
    is_first_empty: bool,
    slash: bool,
    /// True if it counts only under a route.
    if_routed: bool,
}

/// Returns the one route of all places that these pieces may lead to, given the route of each place.
pub(super) fn agreed(
    tree: &Tree,
    pieces: &[Piece],
    route_of: impl Fn(&str) -> Result<Option<usize>, Unrouted>,
) -> Result<Option<usize>, Unrouted> {
    // Where `*` stands for one name, the number of names matters: servers join, divide and drop odd ones in too many ways.
    if !tree.is_whole() || (tree.has_any() && pieces.iter().any(Piece::is_odd)) {
        return Err(Unrouted::AmbiguousPath);
    }
    let mut agreed = None;
    for end in Search::through(tree, pieces)?.ends {
        let route = route_of(&end.path(tree))?;
        if !(end.if_routed && route.is_none()) && *agreed.get_or_insert(route) != route {
            return Err(Unrouted::AmbiguousPath);
        }
    }
    Ok(agreed.flatten())
}

struct Search<'a> {
    tree: &'a Tree,
    /// The places from which the next piece is read.
    next: BTreeSet<Place>,
    ends: BTreeSet<End>,
    /// The number of steps to a place or an end, new or not.
    steps: usize,
}

impl<'a> Search<'a> {
    fn through(tree: &'a Tree, pieces: &[Piece]) -> Result<Self, Unrouted> {
        let mut search = Self { tree, next: [Place::START].into(), ends: BTreeSet::new(), steps: 0 };
        for piece in pieces {
            for place in std::mem::take(&mut search.next) {
                search.read(piece, place);
                if search.steps > MOST_STEPS {
                    return Err(Unrouted::AmbiguousPath);
                }
            }
        }
        Ok(search)
    }

    fn read(&mut self, piece: &Piece, place: Place) {
        match (place.reading, &piece.head) {
            (Reading::Rest, _) => self.goes_on(piece, place),
            (Reading::RunOn, Head::Name(name)) => {
                self.arrive(piece, place.to_segment());
                if name.runs_on {
                    self.divided(piece, place);
                }
                self.segment(piece, place);
            }
            (Reading::RunOn, _) => {
                self.divided(piece, place);
                self.segment(piece, place);
            }
            (Reading::Segment, _) => self.segment(piece, place),
        }
    }

    fn segment(&mut self, piece: &Piece, place: Place) {
        if place.doubled && place.others == 0 {
            self.goes_on(piece, Place::START);
            if piece.may_run_on() {
                // The authority goes on in the next piece.
                self.divided(piece, place);
            }
        }
        if piece.tail_runs_on {
            self.divided(piece, Place { reading: Reading::RunOn, ..self.other(place.to_segment()) });
        }
        match &piece.head {
            Head::Empty { blanks } => self.empty(piece, place, *blanks),
            Head::Dots { count, sure } => self.dots(piece, place, *count, *sure),
            Head::Name(name) => self.name(piece, place, name),
        }
    }

    /// Reads an empty piece: it is merged or counts.
    fn empty(&mut self, piece: &Piece, place: Place, blanks: bool) {
        let here = place.to_segment();
        self.arrive_at_slash(piece, here);
        if blanks || piece.after != After::End || piece.cut != Cut::Nowhere {
            let counted = if here == Place::START { Place { doubled: true, ..here } } else { here.empty() };
            self.goes_on(piece, counted);
            // Servers differ about an empty segment in the place of a variable.
            if let Some(child) = self.known(here).and_then(|node| self.tree.other(node)) {
                self.goes_on(piece, here.at(child));
            }
        }
    }

    /// Reads dots: they lead up, nowhere, or are a name. Dots that no honest client sends may lead up any number of
    /// levels.
    fn dots(&mut self, piece: &Piece, place: Place, count: usize, sure: bool) {
        let here = place.to_segment();
        self.goes_on(piece, self.other(here));
        let depth = here.others + usize::from(here.doubled) + self.tree.depth(here.node);
        let most = if sure { depth.min(count - 1) } else { depth };
        let tree = self.tree;
        for up in std::iter::successors(Some(here), |place| Some(place.above(tree))).take(most + 1) {
            self.arrive_at_slash(piece, up);
            self.arrive(piece, up);
        }
        // A server that trims the dots at the end of names leaves an empty segment of `...`.
        if count > 2 {
            self.empty(piece, place, false);
        }
        // `.../well-known` is `.well-known` where `../` is removed.
        for child in self.known(here).into_iter().flat_map(|node| tree.hidden(node)) {
            self.divided(piece, Place { reading: Reading::RunOn, ..here.at(child) });
        }
    }

    /// Returns the node of a place, if names of patterns follow there.
    fn known(&self, place: Place) -> Option<usize> {
        (place.others == 0 && !place.doubled).then_some(place.node)
    }

    /// Returns the place below this one whose name is in no pattern: that of `*`, if there is one.
    fn other(&self, place: Place) -> Place {
        match self.known(place).and_then(|node| self.tree.other(node)) {
            Some(child) => place.at(child),
            None => place.other(),
        }
    }

    /// Reads a name: as a name of a pattern, if some server may read it so; as another name, unless all do.
    fn name(&mut self, piece: &Piece, place: Place, name: &Name) {
        let here = place.to_segment();
        let other = self.other(here);
        let tree = self.tree;
        let node = self.known(here);
        // Where only ASCII is kept, it is dots alone.
        if let Some(count) = name.dots {
            self.dots(piece, place, count, false);
        }
        let exact = node.zip(name.exact.as_ref()).and_then(|(node, exact)| tree.named(node, exact));
        for child in node.into_iter().flat_map(|node| tree.alike(node, &name.folded)) {
            self.arrive(piece, here.at(child));
        }
        match exact {
            Some(_) if piece.cut == Cut::Nowhere => {
                if piece.after == After::PerhapsDivided {
                    self.reach(Place { reading: Reading::Rest, ..other });
                }
                return;
            }
            _ => self.goes_on(piece, other),
        }
        if name.vanishes() {
            if piece.cut != Cut::Nowhere {
                self.end_by_cut(piece, here, true);
            }
            self.divided(piece, here);
        }
        if name.runs_on {
            for child in node.into_iter().flat_map(|node| tree.beginning(node, &name.folded)) {
                self.divided(piece, Place { reading: Reading::RunOn, ..here.at(child) });
            }
            self.divided(piece, Place { reading: Reading::RunOn, ..other });
        }
    }

    /// Ends the segment here, or where it is cut.
    fn arrive(&mut self, piece: &Piece, place: Place) {
        match piece.cut {
            Cut::Nowhere if piece.after == After::End => self.end(place, false, false),
            Cut::Nowhere => self.divided(piece, place),
            Cut::AtParameters | Cut::AtQuery => self.goes_on(piece, place),
        }
    }

    /// Like [`arrive`](Self::arrive), with a slash behind the path if it ends here.
    fn arrive_at_slash(&mut self, piece: &Piece, place: Place) {
        if piece.after == After::End || piece.cut != Cut::Nowhere {
            self.end_by_cut(piece, place, true);
        }
        if piece.after != After::End {
            self.arrive(piece, place);
        }
    }

    /// Goes on within a known segment, up to its end; it may extend beyond a possible divider.
    fn goes_on(&mut self, piece: &Piece, place: Place) {
        if piece.after == After::End || piece.cut != Cut::Nowhere {
            self.end_by_cut(piece, place, false);
        }
        self.divided(piece, place.to_segment());
        if piece.after == After::PerhapsDivided {
            self.reach(Place { reading: Reading::Rest, ..place });
        }
    }

    /// Reads the next piece from here, if there is one.
    fn divided(&mut self, piece: &Piece, place: Place) {
        match piece.after {
            After::End => {}
            After::Divided | After::PerhapsDivided => self.reach(place),
        }
    }

    fn reach(&mut self, place: Place) {
        self.steps += 1;
        self.next.insert(place);
    }

    /// Reads `/orders/..;x` as `/orders/..`, with the rest cut off: rare, and counted only if a route has that path.
    fn end_by_cut(&mut self, piece: &Piece, place: Place, slash: bool) {
        let rare =
            piece.cut == Cut::AtParameters && piece.after != After::End && matches!(piece.head, Head::Dots { .. });
        self.end(place, slash, rare);
    }

    fn end(&mut self, place: Place, slash: bool, if_routed: bool) {
        self.steps += 1;
        let Place { node, doubled, others, is_first_empty, .. } = place;
        self.ends.insert(End { node, others: doubled || others > 0, is_first_empty, slash, if_routed });
    }
}

impl Place {
    const START: Self =
        Self { node: Tree::ROOT, doubled: false, others: 0, is_first_empty: false, reading: Reading::Segment };

    fn above(self, tree: &Tree) -> Self {
        match self.others {
            0 if self.doubled => Self::START,
            0 => self.at(tree.above(self.node)),
            others => Self { others: others - 1, is_first_empty: self.is_first_empty && others > 1, ..self },
        }
    }

    fn to_segment(self) -> Self {
        Self { reading: Reading::Segment, ..self }
    }

    fn at(self, node: usize) -> Self {
        Self { node, ..self }
    }

    fn other(self) -> Self {
        Self { others: self.others + 1, ..self }
    }

    /// Goes into an empty segment.
    fn empty(self) -> Self {
        Self { is_first_empty: self.is_first_empty || (self.others == 0 && !self.doubled), ..self.other() }
    }
}

impl End {
    fn path(self, tree: &Tree) -> String {
        let mut path = tree.path(self.node);
        if self.is_first_empty {
            path += "/";
        }
        if self.others {
            path = path + "/" + OTHER;
        }
        if self.slash || path.is_empty() { path + "/" } else { path }
    }
}
