//! The method of a request, and the other methods that an upstream may take in its place.

use percent_encoding::percent_decode_str;

use super::units::MOST_PASSES;

/// The fields by which clients ask for another method than that of the request line, `-` for any mark.
const FIELDS: [&str; 3] = ["x-http-method-override", "x-method-override", "x-http-method"];

/// The parameter of a query by which they do.
const PARAMETER: &str = "method";

/// What a request says of a method in header fields, beside that of its request line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Override<'a> {
    /// Nothing.
    #[default]
    None,
    /// One field.
    Once(&'a [u8]),
    /// Several fields.
    Repeated,
}

impl<'a> Override<'a> {
    /// With a further header field, if that is one which asks for a method.
    pub(crate) fn and(self, name: &str, value: &'a [u8]) -> Self {
        match (is_field(name), self) {
            (false, _) => self,
            (true, Self::None) => Self::Once(value),
            (true, Self::Once(_) | Self::Repeated) => Self::Repeated,
        }
    }
}

/// What a request says of a method beside its request line, in fields and in its query; an error where it says several
/// things, or nothing that can be understood.
pub(super) fn overriding(fields: Override<'_>, target: &str) -> Result<Option<String>, ()> {
    let mut parameters = parameters(target);
    match (fields, parameters.next(), parameters.next()) {
        (Override::None, None, _) => Ok(None),
        (Override::Once(value), None, _) => std::str::from_utf8(value).map_err(drop).and_then(understood).map(Some),
        (Override::None, Some(value), None) => understood(&value).map(Some),
        _ => Err(()),
    }
}

/// Whether a text is a method (RFC 9110 section 9.1).
pub(super) fn is_method(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// A method as frameworks read it: in capitals, without space around it.
fn understood(value: &str) -> Result<String, ()> {
    let method = value.trim().to_ascii_uppercase();
    if is_method(&method) { Ok(method) } else { Err(()) }
}

/// Whether a header field asks for a method; servers that make variables of names take any mark for `-`.
fn is_field(name: &str) -> bool {
    // Nearly all names are told apart by their beginning.
    let (Some(b'x' | b'X'), true) = (name.as_bytes().first(), name.len() >= "x-http-method".len()) else {
        return false;
    };
    let same = |(one, other): (u8, u8)| one.eq_ignore_ascii_case(&other) || (other == b'-' && is_mark(one));
    FIELDS.iter().any(|field| field.len() == name.len() && name.bytes().zip(field.bytes()).all(same))
}

fn is_mark(byte: u8) -> bool {
    byte.is_ascii() && !byte.is_ascii_alphanumeric()
}

/// The values of all `_method` in the query of a target.
fn parameters(target: &str) -> impl Iterator<Item = String> {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    query.split(['&', ';']).filter_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // Most names are not encoded, and need no copy.
        let found = if name.contains('%') { is_parameter(&decoded(name)) } else { is_parameter(name) };
        found.then(|| decoded(value))
    })
}

/// Whether a parameter is `_method`, for PHP too: it takes most marks for `_`, and `_method[x]` for a part of it.
fn is_parameter(name: &str) -> bool {
    let name = name.split(['\0', '[']).find(|part| !part.trim().is_empty()).unwrap_or_default().trim();
    let word = name.trim_start_matches(|character: char| !character.is_alphanumeric());
    word.len() < name.len() && word.eq_ignore_ascii_case(PARAMETER)
}

/// A name or value of a query, decoded as often as servers may do it.
fn decoded(text: &str) -> String {
    let once = |text: String| percent_decode_str(&text).decode_utf8().map(String::from).unwrap_or_default();
    (0..MOST_PASSES).fold(text.replace('+', " "), |text, _| if text.contains('%') { once(text) } else { text })
}
