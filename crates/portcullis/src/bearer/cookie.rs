//! The cookies of a request, told apart from the one that may carry the token: [`CookiePart`].
//!
//! `cookie-string = cookie-pair *( ";" SP cookie-pair )` (RFC 6265 section 4.2.1). Browsers send cookies so, and protect names that begin
//! with `__Host-` or `__Secure-` in this form alone. Some servers read more: they divide a field at commas (RFC 2109) and white space
//! (Python's `SimpleCookie`), leave out white space around a name, also beyond ASCII, or decode it. PHP writes `_` for a space, `.` and `[`.
//! Any site of the same domain can set such a cookie, so it is no token; and it must not reach a server that may find one in it.

use percent_encoding::percent_decode;

/// A part of a `Cookie` field, in the order of the field.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CookiePart<'a> {
    /// The value of the cookie of this name.
    Own(&'a [u8]),
    /// The value of a cookie that some server finds under this name.
    Respelt(&'a [u8]),
    /// Other cookies.
    Other(&'a [u8]),
}

/// Visits the parts of a `Cookie` field.
pub(super) fn each_part<'a>(name: &str, field: &'a [u8], visit: &mut dyn FnMut(CookiePart<'a>)) {
    for pair in field.split(|byte| *byte == b';').map(<[u8]>::trim_ascii) {
        match pair.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"=")) {
            Some(value) => {
                // Some proxies join several fields with a comma, which no token has.
                let (value, rest) = divided(value, value.iter().position(|byte| *byte == b','));
                visit(CookiePart::Own(value.trim_ascii()));
                each_other_part(name, trim(rest), visit);
            }
            None => each_other_part(name, pair, visit),
        }
    }
}

/// Visits the parts of a text without the cookie itself.
///
/// The texts before and after a respelt cookie are not joined: together they could be another one.
fn each_other_part<'a>(name: &str, mut text: &'a [u8], visit: &mut dyn FnMut(CookiePart<'a>)) {
    while let Some(Respelt { before, value, after }) = respelt(name, text) {
        other(trim(before), visit);
        visit(CookiePart::Respelt(value));
        text = trim(after);
    }
    other(text, visit);
}

fn other<'a>(text: &'a [u8], visit: &mut dyn FnMut(CookiePart<'a>)) {
    if !text.is_empty() {
        visit(CookiePart::Other(text));
    }
}

/// The first cookie in a text that some server finds under the name.
struct Respelt<'a> {
    before: &'a [u8],
    value: &'a [u8],
    after: &'a [u8],
}

/// Each possible name is compared once, so that the time grows with the length alone.
fn respelt<'a>(name: &str, text: &'a [u8]) -> Option<Respelt<'a>> {
    let found = |start: usize, equals: usize| {
        let (before, _) = divided(text, Some(start));
        let value = text.get(equals + 1..).unwrap_or_default();
        let value = value.get(value.iter().position(u8::is_ascii_graphic).unwrap_or(value.len())..).unwrap_or_default();
        let (value, after) = divided(value, value.iter().position(|byte| *byte == b',' || !byte.is_ascii_graphic()));
        Some(Respelt { before, value, after })
    };
    let mut piece_starts = 0;
    for piece in text.split(|byte| *byte == b',') {
        // All that is before the `=` is the name, as for PHP.
        if let Some(equals) = spelling(name, piece) {
            return found(piece_starts, piece_starts + equals);
        }
        let (mut word_starts, mut before) = (piece_starts, None);
        for word in piece.split(|byte| !byte.is_ascii_graphic()) {
            if let Some(equals) = spelling(name, word) {
                return found(word_starts, word_starts + equals);
            }
            match before {
                Some((start, before)) if word.starts_with(b"=") && spells(name, before) => {
                    return found(start, word_starts);
                }
                _ if word.is_empty() => {}
                _ => before = Some((word_starts, word)),
            }
            word_starts += word.len() + 1;
        }
        piece_starts += piece.len() + 1;
    }
    None
}

/// Returns the place of the first `=`, if the text before it spells the name.
fn spelling(name: &str, text: &[u8]) -> Option<usize> {
    let equals = text.iter().position(|byte| *byte == b'=')?;
    spells(name, text.get(..equals)?).then_some(equals)
}

/// Tells whether some server reads a text as this name.
fn spells(name: &str, text: &[u8]) -> bool {
    let start = text.iter().position(u8::is_ascii_graphic).unwrap_or(text.len());
    let end = text.iter().rposition(u8::is_ascii_graphic).map_or(start, |last| last + 1);
    let decoded = percent_decode(text.get(start..end).unwrap_or_default());
    decoded.skip_while(|byte| matches!(byte, b' ' | b'+')).map(as_in_php).eq(name.bytes().map(as_in_php))
}

/// Returns the byte that PHP writes for one of a name.
fn as_in_php(byte: u8) -> u8 {
    if matches!(byte, b' ' | b'+' | b'.' | b'[') { b'_' } else { byte }
}

/// Divides a text at a place; without one, nothing is behind it.
fn divided(text: &[u8], place: Option<usize>) -> (&[u8], &[u8]) {
    place.and_then(|place| text.split_at_checked(place)).unwrap_or((text, &[]))
}

/// A text without commas and white space at its ends.
fn trim(text: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| *byte != b',' && !byte.is_ascii_whitespace();
    let start = text.iter().position(is_text).unwrap_or(text.len());
    let end = text.iter().rposition(is_text).map_or(start, |last| last + 1);
    text.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{
        CookiePart::{Other, Own, Respelt},
        *,
    };

    fn parts<'a>(name: &str, field: &'a str) -> Vec<CookiePart<'a>> {
        let mut parts = Vec::new();
        each_part(name, field.as_bytes(), &mut |part| parts.push(part));
        parts
    }

    #[test]
    fn a_cookie_is_told_from_others_and_from_other_spellings_of_its_name() {
        for (field, expected) in [
            ("", &[][..]),
            ("a_t=1", &[Own(b"1")]),
            ("x=1;a_t=1; y=2, 3", &[Other(b"x=1"), Own(b"1"), Other(b"y=2, 3")]),
            ("a_t=1, y=2; z=3", &[Own(b"1"), Other(b"y=2"), Other(b"z=3")]),
            ("a_t=1,a_t=2", &[Own(b"1"), Respelt(b"2")]),
            ("a_t=1 2", &[Own(b"1 2")]),
            ("a.t=1; a t=2", &[Respelt(b"1"), Respelt(b"2")]),
            ("a[t=1; a+t=2; a%5Ft=3; +%61.t=4", &[Respelt(b"1"), Respelt(b"2"), Respelt(b"3"), Respelt(b"4")]),
            ("a_t =1", &[Respelt(b"1")]),
            ("\u{a0}a_t\u{3000}= 1 2", &[Respelt(b"1"), Other(b"2")]),
            ("x=1 a_t=2", &[Other(b"x=1"), Respelt(b"2")]),
            ("x=1\ta_t = 2 y=3", &[Other(b"x=1"), Respelt(b"2"), Other(b"y=3")]),
            ("x= a_t=2", &[Other(b"x="), Respelt(b"2")]),
            ("x=1,a.t=2, y=3 4", &[Other(b"x=1"), Respelt(b"2"), Other(b"y=3 4")]),
            ("x a.t=1", &[Other(b"x"), Respelt(b"1")]),
            // Joined by a space, the rest would be one for PHP.
            ("a a_t=1 t=2", &[Other(b"a"), Respelt(b"1"), Other(b"t=2")]),
            ("a,a_t=1 a_t=2", &[Other(b"a"), Respelt(b"1"), Respelt(b"2")]),
            ("a-t=1; A_t=1; a__t=1", &[Other(b"a-t=1"), Other(b"A_t=1"), Other(b"a__t=1")]),
            ("ba_t=1; x=a_t=1; a_t", &[Other(b"ba_t=1"), Other(b"x=a_t=1"), Other(b"a_t")]),
        ] {
            assert_eq!(parts("a_t", field), expected, "{field}");
        }
        for planted in
            ["..Host-at=1", "_.Host-at=1", "[_Host-at=1", "%5F%5FHost-at=1", "x=1,__Host-at=1", "x=1 __Host-at=1"]
        {
            assert!(parts("__Host-at", planted).contains(&Respelt(b"1")), "{planted}");
        }
    }

    #[test]
    fn other_cookies_without_it_make_no_other_one() {
        const LETTERS: [char; 7] = ['_', '.', '=', ' ', ',', ';', 'x'];
        for number in 0..LETTERS.len().pow(6) {
            let digit = |place| LETTERS.get(number / LETTERS.len().pow(place) % LETTERS.len());
            let field: String = (0..6).filter_map(digit).collect();
            let others: Vec<_> = parts("_", &field).into_iter().filter_map(of_others).collect();
            let joined = others.join("; ");
            assert!(parts("_", &joined).into_iter().all(|part| of_others(part).is_some()), "{field:?} {joined:?}");
        }
    }

    fn of_others(part: CookiePart<'_>) -> Option<&str> {
        if let Other(other) = part { std::str::from_utf8(other).ok() } else { None }
    }

    #[test]
    fn the_time_for_a_field_grows_with_its_length_alone() {
        for unit in ["=", " =", "+", "a=", "a_t=1 ", ",a_t", "%20", " ", "a_t =", "a ", ","] {
            let field = unit.repeat(100_000);
            for field in [format!("{}{field}", " ".repeat(100_000)), format!("{field}{}", "=".repeat(100_000))] {
                parts("a_t", &field);
            }
        }
    }
}
