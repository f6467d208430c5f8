//! The URIs that an MCP server may read for one: [`readings`].
//!
//! Some servers look a resource up by the normal form of its URI (the TypeScript SDK reads `FILE:///a/../keys/b` as
//! `file:///keys/b`). Others decode the parts that a template matches (FastMCP reads `file:///%6beys/b` so), and open a file by
//! the result. A rule for a URI applies if it matches one of the readings.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use url::Url;

/// The longest URI that is read in several ways, in bytes.
const MAX_BYTES: usize = 2 << 10;

/// The largest number of readings that are told apart.
const MAX_READINGS: usize = 32;

/// The readings of one name.
#[derive(Debug)]
pub(super) enum Readings<'a> {
    /// The name as it stands, if there is one.
    One(Option<&'a str>),
    Several(Vec<Cow<'a, str>>),
    /// Too many to tell: any name may be meant.
    Any,
}

impl Readings<'_> {
    /// Tells whether one of them is meant.
    pub(super) fn any(&self, is_meant: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::One(name) => name.is_some_and(is_meant),
            Self::Several(names) => names.iter().any(|name| is_meant(name)),
            Self::Any => true,
        }
    }
}

/// Returns the readings of a URI: itself, and what each step that a server may take makes of it, in any order and number.
pub(super) fn readings(uri: &str) -> Readings<'_> {
    let mut found = vec![Cow::Borrowed(uri)];
    let mut place = 0;
    while let Some(text) = found.get(place).cloned() {
        if text.len() > MAX_BYTES || found.len() > MAX_READINGS {
            return Readings::Any;
        }
        for step in [normal, decoded, with_single_slashes, without_query, without_host] {
            if let Some(reading) = step(&text).filter(|reading| !found.iter().any(|known| known == reading)) {
                found.push(Cow::Owned(reading));
            }
        }
        place += 1;
    }
    Readings::Several(found)
}

/// The URI of a file without its host: servers that open the path look at no host, whatever stands there.
fn without_host(text: &str) -> Option<String> {
    let scheme = text.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("file:"))?;
    let rest = text.get(scheme.len()..)?.strip_prefix("//")?;
    let path = rest.find(['/', '\\']).filter(|host| *host > 0)?;
    Some(format!("file://{}", rest.get(path..)?))
}

/// The normal form of the URL Standard.
fn normal(text: &str) -> Option<String> {
    Url::parse(text).ok().map(String::from)
}

/// The text without percent-encoding (RFC 3986 section 2.1).
fn decoded(text: &str) -> Option<String> {
    text.contains('%').then(|| percent_decode_str(text).decode_utf8_lossy().into_owned())
}

/// The URI without empty segments in its path, which file systems skip.
fn with_single_slashes(text: &str) -> Option<String> {
    let path = text.find("://").map(|end| end + 3)?;
    let (origin, mut path) = text.split_at_checked(path).map(|(origin, path)| (origin, path.to_owned()))?;
    if !path.contains("//") {
        return None;
    }
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    Some(format!("{origin}{path}"))
}

/// The URI without query and fragment.
fn without_query(text: &str) -> Option<String> {
    text.split_once(['?', '#']).map(|(before, _)| before.to_owned())
}
