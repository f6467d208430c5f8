//! A path down to its characters: decoded until nothing is left to decode.

use icu_normalizer::{DecomposingNormalizer, DecomposingNormalizerBorrowed};

use super::Unrouted;

/// A path that takes more passes is refused: no honest one is encoded so often.
pub(super) const MOST_PASSES: usize = 8;

/// The text that a character stands for where compatibility forms are taken for the same (NFKD).
const NFKD: DecomposingNormalizerBorrowed<'static> = DecomposingNormalizer::new_nfkd();

/// A character of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) character: char,
    /// True if each server sees it here. One that was encoded may stay so at one place and not at another, as where only
    /// unreserved characters are decoded (RFC 3986 section 6.2.2.2); one of another script may become an ASCII one.
    pub(super) sure: bool,
    /// True if it stands for a character of another script, which some servers leave out.
    stands_in: bool,
}

/// The characters of a path.
///
/// Each decoding of a part leads to the same characters in the end, in whatever order parts are decoded: a `%` with its digits
/// shares nothing with another. So they are all that any server can come to.
pub(super) fn units(path: &str) -> Result<Vec<Unit>, Unrouted> {
    if path.contains(' ') || !is_well_encoded(path) {
        return Err(Unrouted::MalformedPath);
    }
    let mut bytes: Vec<(u8, bool)> = path.bytes().map(|byte| (byte, true)).collect();
    let mut tags = 0;
    for pass in 0..=MOST_PASSES {
        let text = text(&bytes)?;
        // With some encoded more often than others, it is not sure which of them make a tag.
        let (before, now) = (tags, text.matches(['<', '>']).count());
        if before > 0 && before < now {
            return Err(Unrouted::AmbiguousPath);
        }
        tags = now;
        // Other scripts have no spelling but the encoded one, so this is no choice that a server has.
        let next = decoded(&bytes, |byte| pass == 0 && byte >= 0x80);
        if next.len() == bytes.len() {
            return seen(&text, &bytes);
        }
        bytes = next;
    }
    Err(Unrouted::AmbiguousPath)
}

/// Folds names that servers may take for the same into one: compatibility forms, characters that do not show or are cleaned
/// away, spaces and `+` among them, dots that some drop at an end, and `..` taken out.
pub(super) fn folded(name: &str) -> String {
    let shown: String = NFKD.normalize_iter(name.chars()).filter(|&character| !may_fall_away(character)).collect();
    shown.replace("..", "").trim_matches('.').to_owned()
}

/// The ways to fold a name: as it is, and as servers have it that keep ASCII alone, with letters in place of those with marks
/// (`ADMÍN` as `ADMIN`) or with nothing in their place.
pub(super) fn foldings(name: &str) -> Vec<String> {
    let ascii = |text: &str| text.chars().filter(char::is_ascii).collect::<String>();
    let as_it_is = folded(name);
    if name.is_ascii() { vec![as_it_is] } else { vec![ascii(&as_it_is), folded(&ascii(name)), as_it_is] }
}

/// The mark of a stream of a file or directory on NTFS: `name::$DATA` is `name`.
pub(super) const STREAM: &str = ":$";

/// Tells whether a character may fall away: a space, one that no URI may have (RFC 3986 section 2), or one that does not show.
pub(super) fn may_fall_away(character: char) -> bool {
    matches!(character, ' ' | '+' | '"' | '<' | '>' | '^' | '`' | '{' | '|' | '}') || is_ignorable(character)
}

/// Other texts that servers make of these characters, if there are some: without what looks like tags, and without what stands
/// for characters of other scripts.
pub(super) fn cleaned(units: &[Unit]) -> impl Iterator<Item = Vec<Unit>> {
    let ascii: Vec<Unit> = units.iter().filter(|unit| !unit.stands_in).copied().collect();
    let ascii = (ascii.len() < units.len()).then_some(ascii);
    [without_tags(units), ascii.as_deref().and_then(without_tags), ascii].into_iter().flatten()
}

/// The characters up to each `<`, and from behind the `>` that follows.
fn without_tags(units: &[Unit]) -> Option<Vec<Unit>> {
    let (mut left, mut rest) = (Vec::new(), units);
    while let Some(start) = rest.iter().position(|unit| unit.character == '<') {
        let (before, tag) = rest.split_at(start);
        left.extend_from_slice(before);
        let end = tag.iter().position(|unit| unit.character == '>').map_or(tag.len(), |end| end + 1);
        rest = tag.get(end..).unwrap_or_default();
    }
    left.extend_from_slice(rest);
    (left.len() < units.len()).then_some(left)
}

/// Tells whether a character shows nowhere, and is skipped by some (Unicode's `Default_Ignorable_Code_Point`, most of it).
fn is_ignorable(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

/// Decoded bytes as text. What is not UTF-8 is no path: overlong forms of `/` and `.` were a way past many a check.
fn text(bytes: &[(u8, bool)]) -> Result<String, Unrouted> {
    let text = String::from_utf8(bytes.iter().map(|(byte, _)| *byte).collect()).map_err(|_| Unrouted::MalformedPath)?;
    match text.chars().any(char::is_control) || text.split('%').skip(1).any(is_of_javascript) {
        true => Err(Unrouted::MalformedPath),
        false => Ok(text),
    }
}

/// Tells whether `u002f` follows a `%`, which is JavaScript's `escape` and no encoding of a URI; some servers read it.
fn is_of_javascript(rest: &str) -> bool {
    let digits = rest.strip_prefix(['u', 'U']).and_then(|rest| rest.as_bytes().get(..4));
    digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// Tells whether two hexadecimal digits follow each `%` (RFC 3986 section 2.1).
fn is_well_encoded(path: &str) -> bool {
    path.split('%').skip(1).all(|rest| encoded(rest.bytes()).is_some())
}

/// The byte that two hexadecimal digits at the start stand for.
fn encoded(mut digits: impl Iterator<Item = u8>) -> Option<u8> {
    let mut digit = || char::from(digits.next()?).to_digit(16);
    u8::try_from(digit()? * 16 + digit()?).ok()
}

/// The bytes, decoded once; a `%` that encodes nothing, which an earlier pass may leave, stays.
fn decoded(bytes: &[(u8, bool)], is_sure: impl Fn(u8) -> bool) -> Vec<(u8, bool)> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let byte = if first.0 == b'%' { encoded(after.iter().map(|(byte, _)| *byte)) } else { None };
        decoded.push(byte.map_or(first, |byte| (byte, is_sure(byte))));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    decoded
}

/// The characters of a text that nothing is left to decode in.
fn seen(text: &str, bytes: &[(u8, bool)]) -> Result<Vec<Unit>, Unrouted> {
    if may_be_encoded(text) {
        return Err(Unrouted::AmbiguousPath);
    }
    let mut units = Vec::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        let spelled = bytes.get(at..at + character.len_utf8()).unwrap_or_default();
        match marks_in(character) {
            Some(marks) => {
                units.extend(marks.into_iter().map(|character| Unit { character, sure: false, stands_in: true }));
            }
            None => {
                units.push(Unit { character, sure: spelled.iter().all(|(_, sure)| *sure), stands_in: false });
            }
        }
    }
    Ok(units)
}

/// Tells whether some server finds one more encoding: in `％2e`, or in `%..2e` and the like once it has taken something out.
fn may_be_encoded(text: &str) -> bool {
    if text.is_ascii() && !text.contains('%') {
        return false;
    }
    let shown: String = NFKD.normalize_iter(text.chars()).filter(|&character| !is_ignorable(character)).collect();
    let is_encoded = |text: &str| text.split('%').skip(1).any(|rest| encoded(rest.bytes()).is_some());
    [&shown, &without_climbing(&shown)].into_iter().any(|text| is_encoded(text)) || hides_a_mark(text)
}

/// Tells whether a dot or a slash is encoded in what is left of a text that is cleaned: `% 2e`, but not `50% 40`, which is honest.
fn hides_a_mark(text: &str) -> bool {
    let left: String = text.chars().filter(|&character| character.is_ascii() && !may_fall_away(character)).collect();
    let is_mark = |rest: &str| matches!(encoded(rest.bytes()), Some(b'.' | b'/' | b'\\'));
    left.split('%').skip(1).any(is_mark)
}

/// A text without the parts that some take out to keep a path from leading up: two dots or more, a dot before a slash, and that slash.
fn without_climbing(text: &str) -> String {
    let mut left = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('.') {
        let (before, dots) = rest.split_at(at);
        left.push_str(before);
        let after = dots.trim_start_matches('.');
        let behind = after.strip_prefix(['/', '\\']).unwrap_or(after);
        // A dot alone stays.
        let stays = behind.len() == after.len() && dots.len() == after.len() + 1;
        left.push_str(if stays { "." } else { "" });
        rest = behind;
    }
    left + rest
}

/// The text that a character of another script may become, where it has a mark that divides or cuts a path, or a dot.
pub(super) fn marks_in(character: char) -> Option<Vec<char>> {
    if character.is_ascii() {
        return None;
    }
    let plain: Vec<_> = NFKD.normalize_iter(std::iter::once(character)).map(best_fit).collect();
    plain.iter().any(|&character| matches!(character, '/' | '\\' | '.' | ';' | '?' | '#')).then_some(plain)
}

/// The slash that code pages make of one of another kind.
fn best_fit(character: char) -> char {
    match character {
        '\u{2044}' | '\u{2215}' | '\u{29f8}' => '/',
        '\u{2216}' | '\u{29f5}' | '\u{29f9}' | '\u{a5}' | '\u{20a9}' => '\\',
        other => other,
    }
}
