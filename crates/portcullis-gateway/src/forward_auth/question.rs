//! Which request a proxy asks about.

use http::{HeaderValue, request::Parts};

use crate::decision::Fault;

/// Where proxies ask; Envoy puts the client's path behind it.
const AUTH: &str = "/auth";

/// A request to the gateway, and what is known of who sends it.
pub(super) struct Question<'a> {
    pub(super) head: &'a Parts,
    /// Whether the peer's word about the original request counts.
    pub(super) trusted: bool,
    /// Whether the decision depends on method and path.
    pub(super) needs_path: bool,
}

/// What a proxy's header fields say of the original request.
#[derive(Default)]
struct Description<'a> {
    /// nginx, as its configuration says: `X-Original-Method` and `X-Original-URI`.
    original: Family<'a>,
    /// Traefik and Caddy: `X-Forwarded-Method` and `X-Forwarded-Uri`.
    forwarded: Family<'a>,
}

/// Fields that together describe a request.
#[derive(Default)]
struct Family<'a> {
    method: Field<'a>,
    target: Field<'a>,
}

/// A field that may stand once.
#[derive(Default)]
struct Field<'a> {
    value: Option<&'a HeaderValue>,
    repeated: bool,
}

impl<'a> Question<'a> {
    /// Method and target of the request that is meant.
    ///
    /// # Errors
    ///
    /// If it is described in two ways, twice or by half, by somebody who is not trusted, or not at all; and if the client sent
    /// a header field that only the gateway may set, with another mark for `-`, whose place no answer of ours can take.
    pub(super) fn original(&self, forged: impl Fn(&str) -> bool) -> Result<(&'a str, &'a str), Fault> {
        let described = self.description(forged)?.request()?;
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

    /// One look at each field: to look each name up took longer than the token.
    fn description(&self, forged: impl Fn(&str) -> bool) -> Result<Description<'a>, Fault> {
        let mut description = Description::default();
        for (name, value) in &self.head.headers {
            match name.as_str() {
                "x-original-method" => description.original.method.add(value),
                "x-original-uri" => description.original.target.add(value),
                "x-forwarded-method" => description.forwarded.method.add(value),
                "x-forwarded-uri" => description.forwarded.target.add(value),
                name if forged(name) => return Err(Fault::ForgedHeader),
                _ => {}
            }
        }
        Ok(description)
    }
}

impl<'a> Description<'a> {
    fn request(&self) -> Result<Option<(&'a str, &'a str)>, Fault> {
        match (self.original.request()?, self.forwarded.request()?) {
            (Some(_), Some(_)) => Err(Fault::AmbiguousOriginalRequest),
            (original, forwarded) => Ok(original.or(forwarded)),
        }
    }
}

impl<'a> Family<'a> {
    /// Method and target, if there are both; one alone says nothing that can be relied on.
    fn request(&self) -> Result<Option<(&'a str, &'a str)>, Fault> {
        match (self.method.text()?, self.target.text()?) {
            (Some(method), Some(target)) => Ok(Some((method, target))),
            (None, None) => Ok(None),
            _ => Err(Fault::AmbiguousOriginalRequest),
        }
    }
}

impl<'a> Field<'a> {
    fn add(&mut self, value: &'a HeaderValue) {
        self.repeated = self.value.replace(value).is_some() || self.repeated;
    }

    fn text(&self) -> Result<Option<&'a str>, Fault> {
        if self.repeated {
            return Err(Fault::AmbiguousOriginalRequest);
        }
        // Not ASCII: no method and no target in a request line.
        self.value.map(|value| value.to_str().map_err(|_| Fault::MalformedPath)).transpose()
    }
}
