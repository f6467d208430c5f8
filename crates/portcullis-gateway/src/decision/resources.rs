//! The protected resource of a request (RFC 9728), by the host and path of its identifier.
//!
//! 1. A request is under a resource if the identifier has its host, and its path is that of the identifier or below it.
//!    Of several such resources the one with the longest path counts, and it alone.
//! 2. Hosts compare without letter case. Ports do not count, since some proxies leave them out.
//! 3. Paths are read in all ways, as for routes: a path that is under a resource in one reading, and not in another, is
//!    refused ([`Fault::AmbiguousPath`]).
//!    So is one that is under a resource by letters in another case alone, also by letters that become those of ASCII (`K` of
//!    Kelvin, `ı` without its dot): to some servers it is the same path.
//! 4. A path of a resource under a host that has no such resource is refused ([`Fault::WrongHost`]): the client
//!    chooses its `Host`, and would choose other rules by it. Any other request is judged by its route alone.

use std::{borrow::Cow, iter};

use icu_normalizer::ComposingNormalizer;
use percent_encoding::percent_decode_str;
use portcullis::Secure;

use super::{Fault, Original};
use crate::{
    config::Resource,
    routes::{Pattern, Request, Routes, Unrouted, without_port},
};

/// The resources of a configuration, by host and path.
pub(super) struct Resources {
    hosts: Vec<Host>,
    /// The paths of all resources.
    paths: Paths,
    /// The host of each resource, and the path of its metadata.
    metadata: Vec<(String, String)>,
}

/// A host with resources.
struct Host {
    name: String,
    paths: Paths,
    /// The index of the resource of each path.
    resources: Vec<usize>,
}

/// The paths of some resources.
struct Paths {
    exact: Routes,
    /// The same in lower case.
    folded: Routes,
    has_capitals: bool,
}

impl Resources {
    /// Makes the index of resources and their layers; `path_bytes` is the length of the longest path that is searched.
    pub(super) fn new(resources: &[Resource], layers: &[Secure], path_bytes: usize) -> Self {
        let mut numbered: Vec<(usize, &Resource)> = resources.iter().enumerate().collect();
        // The first match wins, so the longest path comes first.
        numbered.sort_by_key(|(_, resource)| std::cmp::Reverse(resource.paths.as_str().len()));
        let mut names: Vec<_> = resources.iter().map(|resource| resource.host.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let host = |name: &str| {
            let own: Vec<_> = numbered.iter().filter(|(_, resource)| resource.host == name).collect();
            let paths = Paths::of(own.iter().map(|(_, resource)| *resource), path_bytes);
            Host { name: name.to_owned(), paths, resources: own.iter().map(|(index, _)| *index).collect() }
        };
        let at = |(resource, layer): (&Resource, &Secure)| {
            let path = layer.resource_document().map(|document| document.path().to_owned());
            (resource.host.clone(), path.unwrap_or_default())
        };
        Self {
            hosts: names.into_iter().map(host).collect(),
            paths: Paths::of(resources, path_bytes),
            metadata: resources.iter().zip(layers).map(at).collect(),
        }
    }

    /// Returns the index of the resource with metadata at this host and path, to the letter.
    pub(super) fn described_at(&self, host: &str, path: &str) -> Option<usize> {
        self.metadata.iter().position(|(own, at)| own.eq_ignore_ascii_case(without_port(host)) && at == path)
    }

    /// Returns the index of the resource of a request; none if it is under no resource.
    ///
    /// # Errors
    ///
    /// The fault of a request that may be under a resource or not, or that has another host.
    pub(super) fn find(&self, original: &Original<'_>) -> Result<Option<usize>, Fault> {
        if self.hosts.is_empty() {
            return Ok(None);
        }
        let name = original.host.map(without_port);
        let host = self.hosts.iter().find(|host| name.is_some_and(|name| host.name.eq_ignore_ascii_case(name)));
        if let Some(host) = host
            && let Some(found) = host.paths.find(original)?
        {
            return host.resources.get(found).map(|index| Some(*index)).ok_or(Fault::WrongHost);
        }
        match self.paths.find(original)? {
            Some(_) => Err(Fault::WrongHost),
            None => Ok(None),
        }
    }
}

impl Paths {
    fn of<'a>(resources: impl IntoIterator<Item = &'a Resource>, path_bytes: usize) -> Self {
        let exact: Vec<&Pattern> = resources.into_iter().map(|resource| &resource.paths).collect();
        let folded: Vec<_> =
            exact.iter().map(|path| Pattern::parse(&in_lower_case(path.as_str())).unwrap_or((*path).clone())).collect();
        let has_capitals = exact.iter().any(|path| path.as_str().bytes().any(|byte| byte.is_ascii_uppercase()));
        let routes = |paths: &[&Pattern]| Routes::of_paths(paths.iter().copied()).up_to(path_bytes);
        Self { folded: routes(&folded.iter().collect::<Vec<_>>()), exact: routes(&exact), has_capitals }
    }

    /// Returns the index of the first of these paths that the request is under.
    fn find(&self, original: &Original<'_>) -> Result<Option<usize>, Unrouted> {
        let found = under(&self.exact, original, original.target)?;
        if !self.has_capitals && !may_have_capitals(original.target) {
            return Ok(found);
        }
        let folded = under(&self.folded, original, &in_lower_case(original.target))?;
        if folded == found { Ok(found) } else { Err(Unrouted::AmbiguousPath) }
    }
}

fn under(paths: &Routes, original: &Original<'_>, target: &str) -> Result<Option<usize>, Unrouted> {
    match paths.find_with(Request { target, ..original.line() }) {
        Ok(index) => Ok(Some(index)),
        Err(Unrouted::NoRoute) => Ok(None),
        Err(other) => Err(other),
    }
}

/// Returns true if a target has a capital of ASCII, perhaps encoded, or a letter beyond ASCII.
fn may_have_capitals(target: &str) -> bool {
    target.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'%' || !byte.is_ascii())
}

/// Returns a target in lower case, also its encoded letters: `%6d` for `%4D`, and `%256d` for `%254D`.
fn in_lower_case(target: &str) -> String {
    let lower = in_ascii(target).to_ascii_lowercase();
    let mut parts = lower.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |folded, part| {
        let (again, code) = part.split_at(part.len() - part.trim_start_matches("25").len());
        let byte = code.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code.get(2..).zip(byte.filter(u8::is_ascii_uppercase)) {
            Some((rest, capital)) => format!("{folded}%{again}{:02x}{rest}", capital.to_ascii_lowercase()),
            None => format!("{folded}%{part}"),
        }
    })
}

/// Returns a target with the letters of ASCII in place of those that become them where case does not count, encoded or not.
fn in_ascii(target: &str) -> Cow<'_, str> {
    let decoded = percent_decode_str(target);
    if decoded.clone().all(|byte| byte.is_ascii()) {
        return target.into();
    }
    let Ok(text) = decoded.decode_utf8() else { return target.into() };
    // The rest is compared by its letters alone, and an encoded `/` has been a reading of the target itself.
    text.chars().map(|character| folded(character).unwrap_or_else(|| character.to_string())).collect::<String>().into()
}

/// Returns the letters of ASCII that a character becomes by upper and lower case; none if there are none.
fn folded(character: char) -> Option<String> {
    const DOT_ABOVE: char = '\u{307}';
    let plain = ComposingNormalizer::new_nfkc().normalize_iter(iter::once(character));
    let letters = plain.flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    let letters: String = letters.filter(|letter| *letter != DOT_ABOVE).collect();
    (!character.is_ascii() && !letters.is_empty() && letters.is_ascii()).then_some(letters)
}
