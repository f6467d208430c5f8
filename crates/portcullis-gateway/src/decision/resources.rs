//! The protected resource of a request (RFC 9728), by the host and path of its identifier.
//!
//! 1. A request is under a resource if the identifier has its host, and its path is that of the identifier or below it.
//!    Of several such resources the one with the longest path counts, and it alone.
//! 2. Hosts compare without letter case. Ports do not count, since some proxies leave them out.
//! 3. Paths are read in all ways, as for routes: a path that is under a resource in one reading, and not in another, is
//!    refused ([`Fault::AmbiguousPath`]).
//!    So is one that is under a resource by letters in another case alone ([`Routes::in_any_case`]), also by letters that
//!    become those of ASCII (`K` of Kelvin, `ı` without its dot): to some servers it is the same path.
//! 4. A path of a resource under a host that has no such resource is refused ([`Fault::WrongHost`]): the client
//!    chooses its `Host`, and would choose other rules by it. Any other request is judged by its route alone.

use portcullis::Secure;

use super::{Fault, Original};
use crate::{
    config::Resource,
    routes::{Routes, Unrouted, without_port},
};

/// The resources of a configuration, by host and path.
pub(super) struct Resources {
    hosts: Vec<Host>,
    /// The paths of all resources.
    paths: Routes,
    /// The host of each resource, and the path of its metadata.
    metadata: Vec<(String, String)>,
}

/// A host with resources.
struct Host {
    name: String,
    paths: Routes,
    /// The index of the resource of each path.
    resources: Vec<usize>,
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
            let paths = paths(own.iter().map(|(_, resource)| *resource), path_bytes);
            Host { name: name.to_owned(), paths, resources: own.iter().map(|(index, _)| *index).collect() }
        };
        let at = |(resource, layer): (&Resource, &Secure)| {
            let path = layer.resource_document().map(|document| document.path().to_owned());
            (resource.host.clone(), path.unwrap_or_default())
        };
        Self {
            hosts: names.into_iter().map(host).collect(),
            paths: paths(resources, path_bytes),
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
            && let Some(found) = under(&host.paths, original)?
        {
            return host.resources.get(found).map(|index| Some(*index)).ok_or(Fault::WrongHost);
        }
        match under(&self.paths, original)? {
            Some(_) => Err(Fault::WrongHost),
            None => Ok(None),
        }
    }
}

/// Makes the routes of some resources, in which the first is the one with the longest path.
fn paths<'a>(resources: impl IntoIterator<Item = &'a Resource>, path_bytes: usize) -> Routes {
    Routes::of_paths(resources.into_iter().map(|resource| &resource.paths)).up_to(path_bytes).in_any_case()
}

/// Returns the index of the first of these paths that the request is under.
fn under(paths: &Routes, original: &Original<'_>) -> Result<Option<usize>, Unrouted> {
    match paths.find_with(original.line()) {
        Ok(index) => Ok(Some(index)),
        Err(Unrouted::NoRoute) => Ok(None),
        Err(other) => Err(other),
    }
}
