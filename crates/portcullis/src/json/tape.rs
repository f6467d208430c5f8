//! The words that a parsed text is made of.
//!
//! A word has a kind and two numbers. A string stands for the bytes `a..a + b`, an array or object for
//! `a` children that end before the word `b`; a number stands for its text, as a string does, and is
//! followed by a word with its bits. Children follow their parent, a member as its name and its value.

/// One word.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Word(u64);

/// The kind of value that a word stands for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Null,
    False,
    True,
    Unsigned,
    Signed,
    Float,
    String,
    Array,
    Object,
}

/// The bits of each number in a word.
const BITS: u32 = 30;
const MASK: u64 = (1 << BITS) - 1;

/// The longest text whose places a word can name; a byte of text needs a word at the most.
pub(super) const LONGEST_TEXT: usize = 1 << (BITS - 1);

/// The place of the value after the one at this place of a tape.
pub(super) fn behind(tape: &[Word], at: usize) -> usize {
    let Some(word) = tape.get(at) else { return at + 1 };
    match word.kind() {
        Kind::Unsigned | Kind::Signed | Kind::Float => at + 2,
        Kind::Array | Kind::Object => word.b(),
        Kind::Null | Kind::False | Kind::True | Kind::String => at + 1,
    }
}

impl Word {
    pub(super) fn new(kind: Kind, a: usize, b: usize) -> Self {
        Self((kind as u64) << (2 * BITS) | (a as u64 & MASK) << BITS | (b as u64 & MASK))
    }

    pub(super) fn bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The word as the bits of a number.
    pub(super) fn to_bits(self) -> u64 {
        self.0
    }

    pub(super) fn kind(self) -> Kind {
        match self.0 >> (2 * BITS) {
            1 => Kind::False,
            2 => Kind::True,
            3 => Kind::Unsigned,
            4 => Kind::Signed,
            5 => Kind::Float,
            6 => Kind::String,
            7 => Kind::Array,
            8 => Kind::Object,
            _ => Kind::Null,
        }
    }

    pub(super) fn a(self) -> usize {
        (self.0 >> BITS & MASK) as usize
    }

    pub(super) fn b(self) -> usize {
        (self.0 & MASK) as usize
    }
}
