//! The method of a request, and the methods by which an upstream may override it.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::{
    overrides::Overrides,
    units::{MOST_PASSES, marks_in},
};

/// The query parameter that overrides the method, without its `_`.
const PARAMETER: &str = "method";

/// Returns the method by which fields or a query override that of the request line; the query is the target's, or that
/// of a path override. An error if there are several, or one that is no method.
pub(super) fn overriding(fields: Overrides<'_>, target: &str) -> Result<Option<String>, ()> {
    let (query, other) = (query(target), query(fields.path.text()?.unwrap_or_default()));
    let mut parameters = parameters(&query).chain(parameters(&other));
    match (fields.method.text()?, parameters.next(), parameters.next()) {
        (None, None, _) => Ok(None),
        (Some(value), None, _) | (None, Some(value), None) => understood(value).map(Some),
        _ => Err(()),
    }
}

/// Returns true if fields or a query override the method of the request line, or may do so.
pub(crate) fn overrides_method(fields: Overrides<'_>, target: &str) -> bool {
    !matches!(overriding(fields, target), Ok(None))
}

/// Returns true if a text is a method (RFC 9110 section 9.1).
pub(crate) fn is_method(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Reads a method as frameworks do: in capitals, without white space around it.
fn understood(value: &str) -> Result<String, ()> {
    let method = value.trim().to_ascii_uppercase();
    if is_method(&method) { Ok(method) } else { Err(()) }
}

/// Returns the query of a target, decoded, since some servers decode before they split; behind that of servers to which an encoded `?`
/// begins it.
fn query(target: &str) -> Cow<'_, str> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    // Most are not encoded, and need no copy.
    let query = if query.contains(['%', '+']) { decoded(query).into() } else { Cow::from(query) };
    match hidden_query(path) {
        Some(hidden) => format!("{hidden}&{query}").into(),
        None => query,
    }
}

/// Returns the part of a path behind a `?` that is encoded, or of another script.
fn hidden_query(path: &str) -> Option<String> {
    if path.is_ascii() && !path.contains('%') {
        return None;
    }
    let path = decoded(path);
    let is_mark = |character| character == '?' || marks_in(character).is_some_and(|marks| marks.contains(&'?'));
    path.split_once(is_mark).map(|(_, hidden)| hidden.to_owned())
}

/// Returns the value of each `_method` in a query.
fn parameters(query: &str) -> impl Iterator<Item = &str> {
    let pairs = query.split(['&', ';']).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.filter(|(name, _)| is_parameter(name)).map(|(_, value)| value)
}

/// Returns true if a parameter is `_method`, also for PHP: it reads most punctuation as `_`, and `_method[x]` as an
/// element of it.
fn is_parameter(name: &str) -> bool {
    let name = name.split(['\0', '[']).find(|part| !part.trim().is_empty()).unwrap_or_default().trim();
    let word = name.trim_start_matches(|character: char| !character.is_alphanumeric());
    word.len() < name.len() && word.eq_ignore_ascii_case(PARAMETER)
}

/// Decodes a query as often as servers may do it.
fn decoded(text: &str) -> String {
    let once = |text: String| percent_decode_str(&text).decode_utf8_lossy().into_owned();
    (0..MOST_PASSES).fold(text.replace('+', " "), |text, _| if text.contains('%') { once(text) } else { text })
}
