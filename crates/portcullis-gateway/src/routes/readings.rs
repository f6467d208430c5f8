//! The path of a target, and the test for paths with a single reading.

use super::{Unrouted, units::STREAM};

/// Returns the path of a request target, as it is spelled, up to its query (RFC 9112 section 3.2).
pub(super) fn path_of(target: &str, longest: usize) -> Result<&str, Unrouted> {
    let target = if target.starts_with('/') { target } else { after_authority(target)? };
    let path = target.split('?').next().unwrap_or(target);
    match path {
        "" => Ok("/"),
        _ if path.starts_with('/') && path.len() <= longest => Ok(path),
        _ => Err(Unrouted::MalformedPath),
    }
}

/// Returns the rest of a target in absolute form, after scheme and authority.
fn after_authority(target: &str) -> Result<&str, Unrouted> {
    let (scheme, rest) = target.split_once("://").ok_or(Unrouted::MalformedPath)?;
    let known = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at_checked(end).ok_or(Unrouted::MalformedPath)?;
    // With a backslash, an `@` or a `%` here, servers disagree about the start of the path.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    // Some begin the path at the first slash, also behind `#`.
    let is_path_alone = !(rest.starts_with('#') && rest.contains('/'));
    match known && !authority.is_empty() && authority.bytes().all(plain) && is_path_alone {
        true => Ok(if rest.starts_with('#') { "" } else { rest }),
        false => Err(Unrouted::MalformedPath),
    }
}

/// Returns true if every server reads a path in the same way: as it is spelled.
pub(super) fn has_one_reading(path: &str) -> bool {
    is_plain(path) && !has_loose_parts(path)
}

/// Returns true if a segment has a part that some systems drop: a dot at either end, `+` for a space, `..`, a file's
/// stream.
fn has_loose_parts(path: &str) -> bool {
    let loose = |pair: &[u8]| matches!(pair, b".." | b"./" | b"/." | [b'+', _]) || pair == STREAM.as_bytes();
    path.ends_with(['.', '+']) || path.as_bytes().windows(2).any(loose)
}

/// Returns true if a path has nothing to decode, remove, merge or cut.
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

/// Returns true for the characters of a segment (RFC 3986 section 3.3) except `%` and `;`.
fn is_plain_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte)
}
