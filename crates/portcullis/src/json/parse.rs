//! From a text to an [`Object`]: strict, in one pass.
//!
//! The structure is read here, since a token consists mostly of that; the difficult parts of JSON (escapes, fractions,
//! exponents) are left to serde_json. Tests and the fuzzer compare this reader with another one.

use std::iter;

use super::{
    Document, Object,
    tape::{Kind, LONGEST_TEXT, Word, behind},
};
use crate::refusal::{JsonFault, MemberName};

/// The depth to which objects and arrays of a token may be nested.
pub(super) const MAX_DEPTH: usize = JsonFault::MAX_DEPTH;

/// Up to this number of members, a name is compared with those before it; beyond, all names are sorted at the end.
const FEW_MEMBERS: usize = 32;

/// A fault without its details: one byte, since the result of reading each value carries one.
#[derive(Clone, Copy)]
enum Fault {
    Syntax,
    /// The reader keeps the place of the member.
    DuplicateMember,
    TooDeep,
}

type Result<T = ()> = std::result::Result<T, Fault>;

/// Reads one JSON object that fills the whole text.
pub(crate) fn object(text: Vec<u8>) -> std::result::Result<Object, JsonFault> {
    let Document(object) = document(text, MAX_DEPTH)?;
    if !object.root().is_object() {
        return Err(JsonFault::NotAnObject);
    }
    Ok(object)
}

/// Reads one JSON value of any kind that fills the whole text, nested up to this depth.
pub(crate) fn document(text: Vec<u8>, max_depth: usize) -> std::result::Result<Document, JsonFault> {
    let mut text = String::from_utf8(text).map_err(|_| JsonFault::Syntax)?;
    if text.len() > LONGEST_TEXT {
        return Err(JsonFault::Syntax);
    }
    let mut reader = Reader::new(&text, max_depth);
    if let Err(fault) = reader.value() {
        return Err(reader.in_words(fault));
    }
    if reader.next().is_some() {
        return Err(JsonFault::Syntax);
    }
    let Reader { tape, unescaped, .. } = reader;
    let text_len = text.len();
    text.push_str(&unescaped);
    Ok(Document(Object { strings: text.into_boxed_str(), text_len, tape: tape.into_boxed_slice() }))
}

struct Reader<'t> {
    text: &'t str,
    /// The place of the next byte.
    at: usize,
    tape: Vec<Word>,
    unescaped: String,
    max_depth: usize,
    depth: usize,
    /// The place of the name of the outermost object's member that is being read.
    member_at: usize,
    /// The place of a duplicate name, if there is one.
    twice_at: usize,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, max_depth: usize) -> Self {
        // Claims have a member in every 25 bytes or more, of two words or three: this seldom has to grow.
        let tape = Vec::with_capacity(8 + text.len() / 10);
        Self { text, at: 0, tape, unescaped: String::new(), max_depth, depth: 0, member_at: 0, twice_at: 0 }
    }

    fn value(&mut self) -> Result {
        match self.next() {
            Some(b'"') => self.string(),
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true", Kind::True),
            Some(b'f') => self.literal("false", Kind::False),
            Some(b'n') => self.literal("null", Kind::Null),
            _ => Err(Fault::Syntax),
        }
    }

    fn object(&mut self) -> Result {
        let object = self.open(Kind::Object)?;
        let (mut count, mut seen) = (0, Seen(0));
        while self.has_next(count, b'}')? {
            let name_at = self.tape.len();
            if self.depth == 1 {
                self.member_at = name_at;
            }
            self.expect_next(b'"')?;
            self.string()?;
            if count < FEW_MEMBERS && seen.again(self.name(name_at)) && self.stands_before(object, name_at) {
                self.twice_at = name_at;
                return Err(Fault::DuplicateMember);
            }
            self.expect_next(b':')?;
            self.at += 1;
            self.value()?;
            count += 1;
        }
        if count > FEW_MEMBERS
            && let Some(name_at) = self.twice_among(object)
        {
            self.twice_at = name_at;
            return Err(Fault::DuplicateMember);
        }
        self.close(object, Kind::Object, count);
        Ok(())
    }

    fn array(&mut self) -> Result {
        let array = self.open(Kind::Array)?;
        let mut count = 0;
        while self.has_next(count, b']')? {
            self.value()?;
            count += 1;
        }
        self.close(array, Kind::Array, count);
        Ok(())
    }

    /// Begins an array or object: its word is filled in at its end.
    fn open(&mut self, kind: Kind) -> Result<usize> {
        if self.depth == self.max_depth {
            return Err(Fault::TooDeep);
        }
        self.depth += 1;
        self.at += 1;
        self.tape.push(Word::new(kind, 0, 0));
        Ok(self.tape.len() - 1)
    }

    fn close(&mut self, at: usize, kind: Kind, children: usize) {
        self.depth -= 1;
        self.at += 1;
        let end = self.tape.len();
        if let Some(word) = self.tape.get_mut(at) {
            *word = Word::new(kind, children, end);
        }
    }

    /// Tells whether another child follows: after a comma, unless it is the first; otherwise the end is next.
    fn has_next(&mut self, count: usize, end: u8) -> Result<bool> {
        match self.next() {
            Some(byte) if byte == end => Ok(false),
            Some(_) if count == 0 => Ok(true),
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            _ => Err(Fault::Syntax),
        }
    }

    fn expect_next(&mut self, byte: u8) -> Result {
        if self.next() == Some(byte) { Ok(()) } else { Err(Fault::Syntax) }
    }

    fn literal(&mut self, literal: &str, kind: Kind) -> Result {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(literal.as_bytes()) {
            return Err(Fault::Syntax);
        }
        self.at += literal.len();
        self.tape.push(Word::new(kind, 0, 0));
        Ok(())
    }

    /// A string; most have no escapes.
    fn string(&mut self) -> Result {
        let start = self.at + 1;
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        let length = plain_length(rest);
        match rest.get(length) {
            Some(b'"') => {
                self.tape.push(Word::new(Kind::String, start, length));
                self.at = start + length + 1;
                Ok(())
            }
            Some(b'\\') => self.escaped_string(start + length),
            _ => Err(Fault::Syntax),
        }
    }

    /// A string with escapes, the first at this place.
    fn escaped_string(&mut self, first_escape: usize) -> Result {
        let rest = self.text.as_bytes().get(first_escape..).unwrap_or_default();
        let mut escaped = false;
        let is_end = |byte: &u8| {
            let ends = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            ends
        };
        let end = first_escape + rest.iter().position(is_end).ok_or(Fault::Syntax)? + 1;
        let quoted = self.text.get(self.at..end).unwrap_or_default();
        let string: String = serde_json::from_str(quoted).map_err(|_| Fault::Syntax)?;
        self.tape.push(Word::new(Kind::String, self.text.len() + self.unescaped.len(), string.len()));
        self.unescaped.push_str(&string);
        self.at = end;
        Ok(())
    }

    /// A number; most are whole, with a few digits.
    fn number(&mut self) -> Result {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let (mut length, mut whole) = (0, 0);
        while let (true, Some(digit @ b'0'..=b'9')) = (length < 18, rest.get(length)) {
            whole = whole * 10 + u64::from(digit - b'0');
            length += 1;
        }
        let leading_zero = length > 1 && rest.first() == Some(&b'0');
        if length == 0 || leading_zero || rest.get(length).is_some_and(is_part_of_a_number) {
            return self.any_number(rest);
        }
        self.push_number(Kind::Unsigned, whole, length);
        self.at += length;
        Ok(())
    }

    fn any_number(&mut self, rest: &[u8]) -> Result {
        let end = self.at + rest.iter().position(|byte| !is_part_of_a_number(byte)).unwrap_or(rest.len());
        let text = self.text.get(self.at..end).unwrap_or_default();
        let number: serde_json::Number = serde_json::from_str(text).map_err(|_| Fault::Syntax)?;
        match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(whole), ..) => self.push_number(Kind::Unsigned, whole, text.len()),
            (_, Some(whole), _) => self.push_number(Kind::Signed, whole.cast_unsigned(), text.len()),
            (_, _, Some(float)) if float.is_finite() => self.push_number(Kind::Float, float.to_bits(), text.len()),
            _ => return Err(Fault::Syntax),
        }
        self.at = end;
        Ok(())
    }

    fn push_number(&mut self, kind: Kind, bits: u64, length: usize) {
        self.tape.extend([Word::new(kind, self.at, length), Word::bits(bits)]);
    }

    /// The next byte after white space, which is rare.
    fn next(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.text.as_bytes().get(self.at) {
            self.at += 1;
        }
        self.text.as_bytes().get(self.at).copied()
    }

    /// Tells whether the name at this place is also before it in the object that begins at `object`.
    fn stands_before(&self, object: usize, name_at: usize) -> bool {
        let name = self.name(name_at);
        self.names(object, name_at).any(|(_, other)| other == name)
    }

    /// The place of a duplicate name in the object that begins at this place; fast for any number of members.
    fn twice_among(&self, object: usize) -> Option<usize> {
        let mut names: Vec<_> = self.names(object, self.tape.len()).collect();
        names.sort_unstable_by_key(|(_, name)| *name);
        let mut neighbours = names.iter().zip(names.iter().skip(1));
        neighbours.find_map(|((_, name), (at, next))| (name == next).then_some(*at))
    }

    /// The names in an object up to a place on the tape, each with its place.
    fn names(&self, object: usize, end: usize) -> impl Iterator<Item = (usize, &str)> {
        let mut at = object + 1;
        iter::from_fn(move || {
            let name = (at < end).then(|| (at, self.name(at)));
            at = behind(&self.tape, at + 1);
            name
        })
    }

    /// A fault with its details. Names in nested objects may be data, so the claim around them is named.
    fn in_words(&self, fault: Fault) -> JsonFault {
        match fault {
            Fault::Syntax => JsonFault::Syntax,
            Fault::TooDeep => JsonFault::TooDeep,
            Fault::DuplicateMember if self.depth == 1 => {
                JsonFault::DuplicateMember { name: MemberName::new(self.name(self.twice_at)), is_within: false }
            }
            Fault::DuplicateMember => {
                JsonFault::DuplicateMember { name: MemberName::new(self.name(self.member_at)), is_within: true }
            }
        }
    }

    fn name(&self, at: usize) -> &str {
        let Some(word) = self.tape.get(at) else { return "" };
        match word.a().checked_sub(self.text.len()) {
            None => self.text.get(word.a()..word.a() + word.b()),
            Some(start) => self.unescaped.get(start..start + word.b()),
        }
        .unwrap_or_default()
    }
}

/// The number of bytes before the first quote, backslash or control character; checks eight at once.
fn plain_length(bytes: &[u8]) -> usize {
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (number, chunk) in chunks.iter().enumerate() {
        let marks = special_bytes(u64::from_le_bytes(*chunk));
        if marks != 0 {
            return 8 * number + (marks.trailing_zeros() / 8) as usize;
        }
    }
    let in_rest = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
    8 * chunks.len() + in_rest.unwrap_or(rest.len())
}

/// The high bit of the lowest byte that is a quote, a backslash or below a space; of higher ones, perhaps.
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGHS: u64 = ONES * 0x80;
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    let is = |byte: u64| below(word ^ (ONES * byte), 1);
    (below(word, 0x20) | is(0x22) | is(0x5c)) & HIGHS
}

fn is_part_of_a_number(byte: &u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

/// The kinds of the names that an object has: a bit for each of 64 kinds, so that few names have to be compared.
struct Seen(u64);

impl Seen {
    /// Remembers the kind of a name; returns true if it is known already.
    fn again(&mut self, name: &str) -> bool {
        let ends = [name.as_bytes().first(), name.as_bytes().last()].map(|byte| byte.copied().map_or(0, usize::from));
        let bit = 1 << ((name.len() + 3 * ends[0] + 7 * ends[1]) % 64);
        let again = self.0 & bit != 0;
        self.0 |= bit;
        again
    }
}
