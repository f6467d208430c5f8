//! The URIs that an MCP server may read for one: [`readings`].
//!
//! Some servers look a resource up by the normal form of its URI (the TypeScript SDK reads `FILE:///a/../keys/b` as
//! `file:///keys/b`). Others decode the parts that a template matches (FastMCP reads `file:///%6beys/b` so), and open a file by
//! the result; or they take its host only (`hostname` of Python), and a path with its dot segments removed, as file systems read it.
//! A rule for a URI applies if it matches one of the readings.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use url::Url;

/// The longest URI that is read in several ways, in bytes.
const MAX_BYTES: usize = 2 << 10;

/// The largest number of readings that are told apart.
const MAX_READINGS: usize = 64;

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

/// The steps that a server may take. Each makes another text of a URI, or none.
const STEPS: [fn(&str) -> Option<String>; 10] = [
    normal,
    decoded,
    without_query,
    without_userinfo,
    without_port,
    without_host,
    with_slashes,
    with_single_slashes,
    without_dot_segments,
    without_slashes_at_the_end,
];

/// Returns the readings of a URI: itself, and the results of the steps that a server may take, in any order and number.
pub(super) fn readings(uri: &str) -> Readings<'_> {
    let mut found = vec![Cow::Borrowed(uri)];
    let mut place = 0;
    while let Some(text) = found.get(place).cloned() {
        if text.len() > MAX_BYTES || found.len() > MAX_READINGS {
            return Readings::Any;
        }
        for step in STEPS {
            if let Some(reading) = step(&text).filter(|reading| !found.iter().any(|known| known == reading)) {
                found.push(Cow::Owned(reading));
            }
        }
        place += 1;
    }
    Readings::Several(found)
}

/// The normal form of the URL Standard.
fn normal(text: &str) -> Option<String> {
    Url::parse(text).ok().map(String::from)
}

/// The text without percent-encoding (RFC 3986 section 2.1).
fn decoded(text: &str) -> Option<String> {
    text.contains('%').then(|| percent_decode_str(text).decode_utf8_lossy().into_owned())
}

/// The URI without query and fragment.
fn without_query(text: &str) -> Option<String> {
    text.split_once(['?', '#']).map(|(before, _)| before.to_owned())
}

/// The URI with its scheme and host in lower case (RFC 3986 section 6.2.2.1), without the name of a user.
fn without_userinfo(text: &str) -> Option<String> {
    let Parts { scheme, authority, rest } = Parts::of(text);
    let authority = authority?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    Some(format!("{}//{}{rest}", scheme.to_ascii_lowercase(), host.to_ascii_lowercase()))
}

/// The URI without the port and the dot behind its host.
fn without_port(text: &str) -> Option<String> {
    let Parts { scheme, authority, rest } = Parts::of(text);
    // One with the name of a user loses that first.
    let authority = authority.filter(|authority| !authority.contains('@'))?;
    let name = authority.find(']').unwrap_or_default();
    let end = authority.get(name..)?.find(':').map_or(authority.len(), |port| name + port);
    Some(format!("{scheme}//{}{rest}", authority.get(..end)?.trim_end_matches('.')))
}

/// The URI of a file without its host: servers that open the path look at no host, whatever stands there.
fn without_host(text: &str) -> Option<String> {
    let Parts { scheme, authority, rest } = Parts::of(text);
    (scheme.eq_ignore_ascii_case("file:") && authority.is_some()).then(|| format!("file://{rest}"))
}

/// The URI as servers on Windows read it.
fn with_slashes(text: &str) -> Option<String> {
    text.contains('\\').then(|| text.replace('\\', "/"))
}

/// The URI without empty segments in its path, which file systems skip.
fn with_single_slashes(text: &str) -> Option<String> {
    let (origin, path) = at_path(text);
    let mut path = path.contains("//").then(|| path.to_owned())?;
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    Some(format!("{origin}{path}"))
}

/// The URI without `.` and `..` in its path (RFC 3986 section 5.2.4), whatever its scheme. The URL Standard leaves them in the path
/// of `notes:x/../a`, and leaves the drive in that of `file:///C:/../a`.
fn without_dot_segments(text: &str) -> Option<String> {
    let (origin, path) = at_path(text);
    let (root, path) = path.strip_prefix('/').map_or(("", path), |path| ("/", path));
    let is_dots = |segment: &str| matches!(segment, "." | "..");
    if !path.split('/').any(is_dots) {
        return None;
    }
    let mut kept = Vec::new();
    for segment in path.split('/') {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    if path.rsplit('/').next().is_some_and(is_dots) {
        kept.push("");
    }
    Some(format!("{origin}{root}{}", kept.join("/")))
}

/// The URI without slashes at its end, which file systems skip.
fn without_slashes_at_the_end(text: &str) -> Option<String> {
    let (origin, path) = at_path(text);
    let short = path.trim_end_matches('/');
    (!short.is_empty() && short.len() < path.len()).then(|| format!("{origin}{short}"))
}

/// Divides a URI where its path begins. Query and fragment count as part of the path: a decoded `%3F` begins none.
fn at_path(text: &str) -> (&str, &str) {
    let rest = Parts::of(text).rest.len();
    text.split_at_checked(text.len() - rest).unwrap_or(("", text))
}

/// The parts of a URI (RFC 3986 section 3).
struct Parts<'a> {
    /// With its colon; empty without a scheme.
    scheme: &'a str,
    /// None if the path follows the scheme, or if the authority is empty.
    authority: Option<&'a str>,
    rest: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let is_of_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let (scheme, rest) = match text.find(':') {
            Some(colon) if text.bytes().take(colon).all(is_of_scheme) => text.split_at(colon + 1),
            _ => ("", text),
        };
        match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
                Self { scheme, authority: Some(authority).filter(|authority| !authority.is_empty()), rest }
            }
            None => Self { scheme, authority: None, rest },
        }
    }
}
