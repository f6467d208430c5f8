//! The characters of a path, decoded until nothing is left to decode.

use icu_normalizer::{DecomposingNormalizer, DecomposingNormalizerBorrowed};

use super::Unrouted;
use crate::characters::is_invisible;

/// The limit on passes of decoding; a path that takes more is refused. No honest path is encoded so often.
pub(super) const MOST_PASSES: usize = 8;

/// The decomposition of characters into compatibility forms (NFKD).
const NFKD: DecomposingNormalizerBorrowed<'static> = DecomposingNormalizer::new_nfkd();

/// A character of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) character: char,
    /// True if every server sees it here. An encoded character may stay encoded at one place and not at another, as
    /// where only unreserved characters are decoded (RFC 3986 section 6.2.2.2); one of another script may become an
    /// ASCII one.
    pub(super) sure: bool,
    /// True if it stands for a character of another script, which some servers drop.
    stands_in: bool,
}

/// Returns the characters of a path.
///
/// Parts may be decoded in any order, with the same characters in the end: a `%` with its digits shares nothing with
/// another. So these are all the characters that any server can reach.
pub(super) fn units(path: &str) -> Result<Vec<Unit>, Unrouted> {
    if path.contains(' ') || !is_well_encoded(path) {
        return Err(Unrouted::MalformedPath);
    }
    let mut bytes: Vec<(u8, bool)> = path.bytes().map(|byte| (byte, true)).collect();
    let mut tags = 0;
    for pass in 0..=MOST_PASSES {
        let text = text(&bytes)?;
        // Some may be encoded more often than others: then it is not sure which of them make a tag.
        let (before, now) = (tags, text.matches(['<', '>']).count());
        if before > 0 && before < now {
            return Err(Unrouted::AmbiguousPath);
        }
        tags = now;
        // Other scripts are always spelled encoded, so servers have no choice there.
        let next = decoded(&bytes, |byte| pass == 0 && byte >= 0x80);
        if next.len() == bytes.len() {
            return seen(&text, &bytes);
        }
        bytes = next;
    }
    Err(Unrouted::AmbiguousPath)
}

/// Folds names that servers may take for the same into one: compatibility forms are unified; invisible and forbidden
/// characters, spaces and `+`, dots at an end, and `..` are removed.
pub(super) fn folded(name: &str) -> String {
    let shown: String = NFKD.normalize_iter(name.chars()).filter(|&character| !may_fall_away(character)).collect();
    shown.replace("..", "").trim_matches('.').to_owned()
}

/// Returns the foldings of a name: as it is; as servers read it that keep only ASCII, with plain letters for accented
/// ones (`ADMÍN` as `ADMIN`); and with nothing in their place.
pub(super) fn foldings(name: &str) -> Vec<String> {
    let as_it_is = folded(name);
    if name.is_ascii() { vec![as_it_is] } else { vec![ascii(&as_it_is), folded(&ascii(name)), as_it_is] }
}

/// Like [`folded`], for servers to which letter case does not count.
pub(super) fn folded_in_any_case(name: &str) -> String {
    in_one_case(&folded(name))
}

/// Like [`foldings`], for servers to which letter case does not count. Letters may become those of ASCII by their case (`K` of Kelvin, `ı`
/// without its dot), before or after others are dropped.
pub(super) fn foldings_in_any_case(name: &str) -> Vec<String> {
    if name.is_ascii() {
        return vec![folded_in_any_case(name)];
    }
    let plain = [name.to_owned(), NFKD.normalize(name).into_owned()];
    let cased = |text: String| [text.to_lowercase(), text.to_uppercase(), in_one_case(&text), text];
    let mut left: Vec<String> = plain.into_iter().flat_map(cased).map(|text| ascii(&text)).collect();
    left.sort_unstable();
    left.dedup();
    left.iter().map(String::as_str).chain([name]).map(folded_in_any_case).collect()
}

/// Returns a text in one letter case: of all letters with one capital (`i` and `ı`, `s` and `ſ`) the same. `İ` loses its dot.
fn in_one_case(text: &str) -> String {
    const DOT_ABOVE: char = '\u{307}';
    let letters = text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    letters.filter(|letter| *letter != DOT_ABOVE).collect()
}

fn ascii(text: &str) -> String {
    text.chars().filter(char::is_ascii).collect()
}

/// The beginning of the name of a file's or directory's stream on NTFS: `name::$DATA` is `name`.
pub(super) const STREAM: &str = ":$";

/// Returns true if a text names the stream of a file, also in compatibility forms, or to servers that drop characters.
pub(super) fn names_stream(text: impl Iterator<Item = char>) -> bool {
    let left = |character: char| match character.is_ascii() {
        true => Some(character).filter(|&character| !may_fall_away(character)),
        false => mark_of_stream(character),
    };
    text.filter_map(left).collect::<String>().contains(STREAM)
}

/// Returns true if a character is that before the name of a stream, also as a compatibility form.
pub(super) fn begins_stream(character: char) -> bool {
    mark_of_stream(character).is_some_and(|mark| STREAM.starts_with(mark))
}

/// Returns the character of [`STREAM`] that a character is, also as a compatibility form.
fn mark_of_stream(character: char) -> Option<char> {
    NFKD.normalize_iter(std::iter::once(character)).find(|&plain| STREAM.contains(plain))
}

/// Returns true if some server drops a character: a space, one that no URI may have (RFC 3986 section 2), or an
/// invisible one.
pub(super) fn may_fall_away(character: char) -> bool {
    matches!(character, ' ' | '+' | '"' | '<' | '>' | '^' | '`' | '{' | '|' | '}') || is_invisible(character)
}

/// Returns other texts that servers may make of these characters: without anything like a tag, and without the
/// stand-ins for characters of other scripts.
pub(super) fn cleaned(units: &[Unit]) -> impl Iterator<Item = Vec<Unit>> {
    let ascii: Vec<Unit> = units.iter().filter(|unit| !unit.stands_in).copied().collect();
    let ascii = (ascii.len() < units.len()).then_some(ascii);
    [without_tags(units), ascii.as_deref().and_then(without_tags), ascii].into_iter().flatten()
}

/// Returns the characters outside of tags, which reach from `<` to `>`.
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

/// Reads decoded bytes as text. Invalid UTF-8 is refused: overlong forms of `/` and `.` got past many checks.
fn text(bytes: &[(u8, bool)]) -> Result<String, Unrouted> {
    let text = String::from_utf8(bytes.iter().map(|(byte, _)| *byte).collect()).map_err(|_| Unrouted::MalformedPath)?;
    match text.chars().any(char::is_control) || text.split('%').skip(1).any(is_of_javascript) {
        true => Err(Unrouted::MalformedPath),
        false => Ok(text),
    }
}

/// Returns true if `u002f` follows a `%`: JavaScript's `escape`, which is no encoding of a URI but read by some
/// servers.
fn is_of_javascript(rest: &str) -> bool {
    let digits = rest.strip_prefix(['u', 'U']).and_then(|rest| rest.as_bytes().get(..4));
    digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// Returns true if two hexadecimal digits follow each `%` (RFC 3986 section 2.1).
fn is_well_encoded(path: &str) -> bool {
    path.split('%').skip(1).all(|rest| encoded(rest.bytes()).is_some())
}

/// Returns the byte that two hexadecimal digits at the start stand for.
fn encoded(mut digits: impl Iterator<Item = u8>) -> Option<u8> {
    let mut digit = || char::from(digits.next()?).to_digit(16);
    u8::try_from(digit()? * 16 + digit()?).ok()
}

/// Decodes bytes once; a `%` that encodes nothing, which an earlier pass may leave, stays.
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

/// Returns the characters of a text in which nothing is left to decode.
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

/// Returns true if some server finds one more encoding: in `％2e`, or in `%..2e` and the like after a removal.
fn may_be_encoded(text: &str) -> bool {
    if text.is_ascii() && !text.contains('%') {
        return false;
    }
    let shown: String = NFKD.normalize_iter(text.chars()).filter(|&character| !is_invisible(character)).collect();
    let is_encoded = |text: &str| text.split('%').skip(1).any(|rest| encoded(rest.bytes()).is_some());
    [&shown, &without_climbing(&shown)].into_iter().any(|text| is_encoded(text)) || hides_a_mark(text)
}

/// Returns true if a cleaned text has an encoded dot or slash: `% 2e`, but not `50% 40`, which is honest.
fn hides_a_mark(text: &str) -> bool {
    let left: String = text.chars().filter(|&character| character.is_ascii() && !may_fall_away(character)).collect();
    let is_mark = |rest: &str| matches!(encoded(rest.bytes()), Some(b'.' | b'/' | b'\\'));
    left.split('%').skip(1).any(is_mark)
}

/// Removes the parts that some servers remove against climbing: two dots or more, a dot before a slash, and that slash.
fn without_climbing(text: &str) -> String {
    let mut left = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('.') {
        let (before, dots) = rest.split_at(at);
        left.push_str(before);
        let after = dots.trim_start_matches('.');
        let behind = after.strip_prefix(['/', '\\']).unwrap_or(after);
        // A single dot stays.
        let stays = behind.len() == after.len() && dots.len() == after.len() + 1;
        left.push_str(if stays { "." } else { "" });
        rest = behind;
    }
    left + rest
}

/// Returns the text that a character of another script may become, if that text divides or cuts a path, or has a dot.
pub(super) fn marks_in(character: char) -> Option<Vec<char>> {
    if character.is_ascii() {
        return None;
    }
    let plain: Vec<_> = NFKD.normalize_iter(std::iter::once(character)).map(best_fit).collect();
    plain.iter().any(|&character| matches!(character, '/' | '\\' | '.' | ';' | '?' | '#')).then_some(plain)
}

/// Returns the ASCII slash that code pages make of a similar character.
fn best_fit(character: char) -> char {
    match character {
        '\u{2044}' | '\u{2215}' | '\u{29f8}' => '/',
        '\u{2216}' | '\u{29f5}' | '\u{29f9}' | '\u{a5}' | '\u{20a9}' => '\\',
        other => other,
    }
}
