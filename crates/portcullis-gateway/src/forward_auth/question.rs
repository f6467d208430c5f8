//! Which request a proxy asks about.

use http::{HeaderMap, HeaderName, HeaderValue, request::Parts};

use crate::decision::Fault;

/// Where proxies ask; Envoy puts the client's path behind it.
const AUTH: &str = "/auth";

/// The fields in which a proxy describes a request: method and target.
struct Family {
    method: HeaderName,
    target: HeaderName,
}

/// nginx, as its configuration says.
const ORIGINAL: Family =
    Family { method: HeaderName::from_static("x-original-method"), target: HeaderName::from_static("x-original-uri") };

/// Traefik and Caddy.
const FORWARDED: Family = Family {
    method: HeaderName::from_static("x-forwarded-method"),
    target: HeaderName::from_static("x-forwarded-uri"),
};

/// A request to the gateway, and what is known of who sends it.
pub(super) struct Question<'a> {
    pub(super) head: &'a Parts,
    /// Whether the peer's word about the original request counts.
    pub(super) trusted: bool,
    /// Whether the decision depends on method and path.
    pub(super) needs_path: bool,
}

impl<'a> Question<'a> {
    /// Method and target of the request that is meant.
    ///
    /// # Errors
    ///
    /// If it is described in two ways, twice or by half, by somebody who is not trusted, or not at all.
    pub(super) fn original(&self) -> Result<(&'a str, &'a str), Fault> {
        let described = self.described()?;
        if described.is_some() && !self.trusted {
            return Err(Fault::UntrustedProxy);
        }
        let target = self.head.uri.path_and_query().map_or("", |target| target.as_str());
        let behind = target.strip_prefix(AUTH).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
        match (described, behind) {
            (None, None) => Ok((self.head.method.as_str(), target)),
            (Some(described), None) => Ok(described),
            (Some(described), Some(rest)) if !rest.starts_with('/') => Ok(described),
            (None, Some(rest)) if rest.starts_with('/') => Ok((self.head.method.as_str(), rest)),
            (Some(_), Some(_)) => Err(Fault::AmbiguousOriginalRequest),
            (None, Some(_)) if self.needs_path => Err(Fault::NoOriginalRequest),
            (None, Some(_)) => Ok((self.head.method.as_str(), AUTH)),
        }
    }

    /// # Errors
    ///
    /// If the client sent a header field that only the gateway may set, with another mark for `-`: no answer of ours can
    /// take its place.
    pub(super) fn has_no_forged_header(&self, forged: impl Fn(&str) -> bool) -> Result<(), Fault> {
        let forged = self.head.headers.keys().any(|name| forged(name.as_str()));
        if forged { Err(Fault::ForgedHeader) } else { Ok(()) }
    }

    fn described(&self) -> Result<Option<(&'a str, &'a str)>, Fault> {
        let headers = &self.head.headers;
        match (ORIGINAL.read(headers)?, FORWARDED.read(headers)?) {
            (Some(_), Some(_)) => Err(Fault::AmbiguousOriginalRequest),
            (original, forwarded) => Ok(original.or(forwarded)),
        }
    }
}

impl Family {
    /// Method and target, if there are both; one alone, or one twice, says nothing that can be relied on.
    fn read<'a>(&self, headers: &'a HeaderMap) -> Result<Option<(&'a str, &'a str)>, Fault> {
        match (only(headers, &self.method)?, only(headers, &self.target)?) {
            (Some(method), Some(target)) => Ok(Some((method, target))),
            (None, None) => Ok(None),
            _ => Err(Fault::AmbiguousOriginalRequest),
        }
    }
}

fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Fault> {
    let mut values = headers.get_all(name).iter().map(HeaderValue::to_str);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(Ok(value)), None) => Ok(Some(value)),
        // Not ASCII: no method and no target in a request line.
        (Some(Err(_)), None) => Err(Fault::MalformedPath),
        (Some(_), Some(_)) => Err(Fault::AmbiguousOriginalRequest),
    }
}
