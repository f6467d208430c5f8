//! The method of a request, and the other methods that an upstream may take in its place.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::{overrides::Overrides, units::MOST_PASSES};

/// The parameter of a query by which they do.
const PARAMETER: &str = "method";

/// The method that a request asks for beside its request line, in fields and in the query of its target or of another that a field
/// asks for; an error where it asks for several things, or nothing that can be understood.
pub(super) fn overriding(fields: Overrides<'_>, target: &str) -> Result<Option<String>, ()> {
    let (query, other) = (query(target), query(fields.path.text()?.unwrap_or_default()));
    let mut parameters = parameters(&query).chain(parameters(&other));
    match (fields.method.text()?, parameters.next(), parameters.next()) {
        (None, None, _) => Ok(None),
        (Some(value), None, _) | (None, Some(value), None) => understood(value).map(Some),
        _ => Err(()),
    }
}

/// Tells whether a text is a method (RFC 9110 section 9.1).
pub(super) fn is_method(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// A method as frameworks read it: in capitals, without space around it.
fn understood(value: &str) -> Result<String, ()> {
    let method = value.trim().to_ascii_uppercase();
    if is_method(&method) { Ok(method) } else { Err(()) }
}

/// The query of a target, decoded, since some servers decode before they divide.
fn query(target: &str) -> Cow<'_, str> {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    // Most are not encoded, and need no copy.
    if query.contains(['%', '+']) { decoded(query).into() } else { query.into() }
}

/// The values of all `_method` in a query.
fn parameters(query: &str) -> impl Iterator<Item = &str> {
    let pairs = query.split(['&', ';']).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.filter(|(name, _)| is_parameter(name)).map(|(_, value)| value)
}

/// Tells whether a parameter is `_method`, for PHP too: it takes most marks for `_`, and `_method[x]` for a part of it.
fn is_parameter(name: &str) -> bool {
    let name = name.split(['\0', '[']).find(|part| !part.trim().is_empty()).unwrap_or_default().trim();
    let word = name.trim_start_matches(|character: char| !character.is_alphanumeric());
    word.len() < name.len() && word.eq_ignore_ascii_case(PARAMETER)
}

/// A query, decoded as often as servers may do it.
fn decoded(text: &str) -> String {
    let once = |text: String| percent_decode_str(&text).decode_utf8_lossy().into_owned();
    (0..MOST_PASSES).fold(text.replace('+', " "), |text, _| if text.contains('%') { once(text) } else { text })
}
