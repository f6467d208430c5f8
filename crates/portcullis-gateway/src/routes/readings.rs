//! All that upstreams may make of a path.
//!
//! A server does some of a few steps, in an order of its own, some of them twice. What any of them can come to is
//! found by doing each step to each reading until none is new.

use super::Unrouted;

/// More readings, or more bytes of them, make a path ambiguous: no honest one has so many.
const MOST_READINGS: usize = 64;
const MOST_BYTES: usize = 64 << 10;

/// What a server may do to a path beside decoding it; `None` where it changes nothing.
const STEPS: [fn(&str) -> Option<String>; 6] = [
    without_dot_segments,
    without_doubled_slashes,
    without_parameters,
    with_backslashes_as_slashes,
    without_query,
    without_authority,
];

/// The path of a request target, as it is spelled, up to its query (RFC 9112 section 3.2).
pub(super) fn path_of(target: &str, longest: usize) -> Result<&str, Unrouted> {
    let target = if target.starts_with('/') { target } else { after_authority(target)? };
    let path = target.split('?').next().unwrap_or(target);
    match path {
        "" => Ok("/"),
        _ if path.starts_with('/') && path.len() <= longest => Ok(path),
        _ => Err(Unrouted::MalformedPath),
    }
}

/// What follows scheme and authority of a target in absolute form.
fn after_authority(target: &str) -> Result<&str, Unrouted> {
    let (scheme, rest) = target.split_once("://").ok_or(Unrouted::MalformedPath)?;
    let known = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at_checked(end).ok_or(Unrouted::MalformedPath)?;
    // A backslash, an `@` or a `%` here, and servers disagree about where the path begins.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    match known && !authority.is_empty() && authority.bytes().all(plain) {
        true => Ok(if rest.starts_with('#') { "" } else { rest }),
        false => Err(Unrouted::MalformedPath),
    }
}

/// Whether a path has one reading: itself.
pub(super) fn is_plain(path: &str) -> bool {
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let doubled = segment.is_empty() && segments.peek().is_some();
        if doubled || matches!(segment, "." | "..") || !segment.bytes().all(is_plain_byte) {
            return false;
        }
    }
    true
}

/// The characters of a segment (RFC 3986 section 3.3) but for `%` and `;`.
fn is_plain_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte)
}

/// The readings of a path, each once; the first is the path itself.
pub(super) struct Readings {
    found: Vec<String>,
    bytes: usize,
    /// How many were handed out.
    seen: usize,
}

impl Readings {
    pub(super) fn of(path: &str) -> Result<Self, Unrouted> {
        if path.contains(' ') || !is_well_encoded(path) {
            return Err(Unrouted::MalformedPath);
        }
        let mut readings = Self { found: Vec::new(), bytes: 0, seen: 0 };
        // Other scripts have no spelling but the encoded one, so this is no choice that a server has.
        let path = match decoded(path, |byte| byte >= 0x80) {
            Some(bytes) => text(bytes)?,
            None => path.to_owned(),
        };
        readings.add(path)?;
        Ok(readings)
    }

    /// The next reading; an error if one is no path, or if there are too many.
    pub(super) fn next(&mut self) -> Result<Option<&str>, Unrouted> {
        let Some(reading) = self.found.get(self.seen).cloned() else { return Ok(None) };
        for next in STEPS.iter().filter_map(|step| step(&reading)) {
            self.add(next)?;
        }
        if let Some(bytes) = decoded(&reading, |_| true) {
            self.add(text(bytes)?)?;
        }
        self.seen += 1;
        Ok(self.found.get(self.seen - 1).map(String::as_str))
    }

    fn add(&mut self, reading: String) -> Result<(), Unrouted> {
        if reading.chars().any(char::is_control) {
            return Err(Unrouted::MalformedPath);
        }
        if self.found.contains(&reading) {
            return Ok(());
        }
        self.bytes += reading.len();
        self.found.push(reading);
        if self.found.len() > MOST_READINGS || self.bytes > MOST_BYTES { Err(Unrouted::AmbiguousPath) } else { Ok(()) }
    }
}

/// Decoded bytes as text. What is not UTF-8 is no path: overlong forms of `/` and `.` were a way past many a check.
fn text(bytes: Vec<u8>) -> Result<String, Unrouted> {
    String::from_utf8(bytes).map_err(|_| Unrouted::MalformedPath)
}

/// Whether two hexadecimal digits follow each `%` (RFC 3986 section 2.1).
fn is_well_encoded(path: &str) -> bool {
    path.split('%').skip(1).all(|rest| encoded(rest.as_bytes()).is_some())
}

/// The byte that two hexadecimal digits at the start stand for.
fn encoded(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| digits.get(at).and_then(|&digit| char::from(digit).to_digit(16));
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

/// A path with these bytes decoded, once; a `%` that encodes nothing, which a first decoding may leave, stays.
fn decoded(path: &str, which: fn(u8) -> bool) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let byte = if first == b'%' { encoded(after).filter(|&byte| which(byte)) } else { None };
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    (bytes.len() < path.len()).then_some(bytes)
}

/// RFC 3986 section 5.2.4.
fn without_dot_segments(path: &str) -> Option<String> {
    let mut kept = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
        if matches!(segment, "." | "..") && segments.peek().is_none() {
            kept.push("");
        }
    }
    changed(path, format!("/{}", kept.join("/")))
}

fn without_doubled_slashes(path: &str) -> Option<String> {
    let mut merged = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !merged.ends_with('/') {
            merged.push(character);
        }
    }
    changed(path, merged)
}

/// Without `;` and what follows it in a segment.
fn without_parameters(path: &str) -> Option<String> {
    let name = |segment: &str| segment.split(';').next().unwrap_or_default().to_owned();
    path.contains(';').then(|| path.split('/').map(name).collect::<Vec<_>>().join("/"))
}

fn with_backslashes_as_slashes(path: &str) -> Option<String> {
    path.contains('\\').then(|| path.replace('\\', "/"))
}

/// Up to a fragment, which some servers cut and some keep, or a query that was encoded.
fn without_query(path: &str) -> Option<String> {
    path.split_once(['?', '#']).map(|(path, _)| path.to_owned())
}

/// `//host/path` as a reference without a scheme (RFC 3986 section 4.2), as URL parsers read it.
fn without_authority(path: &str) -> Option<String> {
    let rest = path.strip_prefix("//")?.trim_start_matches('/');
    Some(rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/").to_owned())
}

fn changed(path: &str, new: String) -> Option<String> {
    (new != path).then_some(new)
}
