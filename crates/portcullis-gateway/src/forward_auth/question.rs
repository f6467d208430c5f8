//! The original request, read out of a proxy's question.

use http::{HeaderValue, header::HOST, request::Parts, uri::Authority};
use portcullis::ForwardedElement;

use crate::decision::{Fault, Gateway, leads_past_us};

/// The path of questions; Envoy appends the client's path.
const AUTH: &str = "/auth";

/// The one field of a description by which clients override paths, too.
pub(super) const ORIGINAL_URL: &str = "x-original-url";

/// A request to the gateway, by a trusted peer.
pub(super) struct Question<'a, 'g> {
    pub(super) head: &'a Parts,
    pub(super) gateway: &'g Gateway,
}

/// The original request, as far as a question describes it.
#[derive(Clone, Copy, Default)]
pub(super) struct Described<'a> {
    pub(super) method: &'a str,
    pub(super) target: &'a str,
    /// The host, with or without a port.
    pub(super) host: Option<&'a str>,
    /// The scheme of the client's URL; empty if the proxy tells several.
    pub(super) scheme: Option<&'a str>,
    /// The form of the question.
    pub(super) form: Form,
}

/// The form of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Form {
    /// Header fields describe the request.
    #[default]
    Described,
    /// The path follows that of questions, as with Envoy.
    Appended,
    /// The request itself, as a client sends it that asks without a proxy.
    Itself,
}

/// The description of the original request by the proxy's header fields.
#[derive(Default)]
struct Description<'a> {
    /// nginx, as configured: `X-Original-Method`, and `X-Original-URI` or, with ingress-nginx, `X-Original-URL`.
    original: Family<'a>,
    /// Traefik, Caddy, APISIX, and HAProxy as configured: `X-Forwarded-Method` and `X-Forwarded-Uri`.
    forwarded: Family<'a>,
    /// `X-Forwarded-Proto`, beside any description without a URL.
    scheme: Field<'a>,
    /// `Forwarded`, where proxies write it: scheme and host, beside any description without a URL.
    element: Field<'a>,
}

/// Fields that together describe a request.
#[derive(Default)]
struct Family<'a> {
    method: Field<'a>,
    target: Field<'a>,
    /// An absolute URL in place of the target.
    url: Field<'a>,
    host: Field<'a>,
}

/// A field that may stand once.
#[derive(Default)]
struct Field<'a> {
    value: Option<&'a HeaderValue>,
    repeated: bool,
}

impl<'a> Question<'a, '_> {
    /// Returns the original request.
    ///
    /// # Errors
    ///
    /// If it is described in two ways, twice, incompletely, or not at all; if the client sent a header field that only
    /// the gateway may set, with another character for `-`, which no answer can replace; or if the client has such a
    /// field dropped.
    pub(super) fn original(&self) -> Result<Described<'a>, Fault> {
        let description = self.description()?;
        let host = description.host(host(self.head));
        let scheme = description.scheme();
        let described = description.request(host)?;
        let target = self.head.uri.path_and_query().map_or("", |target| target.as_str());
        let behind = target.strip_prefix(AUTH).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
        let asked = |target, form| Described { method: self.head.method.as_str(), target, host, scheme, form };
        match (described, behind) {
            (None, None) => Ok(asked(target, Form::Itself)),
            (Some(described), None) => Ok(described),
            (Some(described), Some(rest)) if !rest.starts_with('/') => Ok(described),
            (None, Some(rest)) if rest.starts_with('/') => Ok(asked(rest, Form::Appended)),
            (Some(_), Some(_)) => Err(Fault::AmbiguousOriginalRequest),
            (None, Some(_)) if self.gateway.needs_paths() => Err(Fault::NoOriginalRequest),
            (None, Some(_)) => Ok(asked(AUTH, Form::Appended)),
        }
    }

    /// Reads each field once: looking each name up took longer than the token.
    fn description(&self) -> Result<Description<'a>, Fault> {
        let mut description = Description::default();
        for (name, value) in &self.head.headers {
            match name.as_str() {
                "x-original-method" => description.original.method.add(value),
                "x-original-uri" => description.original.target.add(value),
                ORIGINAL_URL => description.original.url.add(value),
                "x-forwarded-method" => description.forwarded.method.add(value),
                "x-forwarded-uri" => description.forwarded.target.add(value),
                "x-forwarded-host" => description.forwarded.host.add(value),
                "x-forwarded-proto" => description.scheme.add(value),
                "forwarded" if self.gateway.reads_forwarded() => description.element.add(value),
                "connection" if self.gateway.is_dropped_by(value.as_bytes()) => return Err(Fault::HopByHopHeader),
                "upgrade" if leads_past_us(value.as_bytes()) => return Err(Fault::HopByHopHeader),
                name if self.gateway.is_forged_header(name) => return Err(Fault::ForgedHeader),
                _ => {}
            }
        }
        Ok(description)
    }
}

impl<'a> Description<'a> {
    /// Returns the request that is described; `host` is the host of the question.
    fn request(&self, host: Option<&'a str>) -> Result<Option<Described<'a>>, Fault> {
        match (self.original.request(host)?, self.forwarded.request(host)?) {
            (Some(_), Some(_)) => Err(Fault::AmbiguousOriginalRequest),
            (original, forwarded) => {
                let element = self.element().filter(|element| self.agrees(element));
                let is_clear = |host: &str| {
                    element
                        .as_ref()
                        .is_some_and(|element| element.host.is_none_or(|own| own.eq_ignore_ascii_case(host)))
                };
                let told = |request: Described<'a>| Described {
                    scheme: request.scheme.or(self.scheme()),
                    host: request.host.filter(|host| is_clear(host)),
                    ..request
                };
                Ok(original.or(forwarded).map(told))
            }
        }
    }

    /// Returns the scheme of the client's URL, as the proxy tells it. An unreadable one stays unreadable: the default in its
    /// place could be another than the client's.
    fn scheme(&self) -> Option<&'a str> {
        let Some(element) = self.element() else { return Some("") };
        match (self.scheme.text().unwrap_or(Some("")), element.scheme) {
            (Some(one), Some(other)) if !one.eq_ignore_ascii_case(other) => Some(""),
            (one, other) => one.or(other),
        }
    }

    /// Returns the host that `Forwarded` tells, or else this one; none if the fields are malformed or disagree.
    fn host(&self, of_question: Option<&'a str>) -> Option<&'a str> {
        self.element().filter(|element| self.agrees(element))?.host.or(of_question)
    }

    /// Returns true if `Forwarded` tells the host of `X-Forwarded-Host`, or one of them tells none.
    fn agrees(&self, element: &ForwardedElement<'a>) -> bool {
        match (element.host, self.forwarded.host.text()) {
            (Some(one), Ok(Some(other))) => one.eq_ignore_ascii_case(other),
            _ => true,
        }
    }

    /// Returns the one element of `Forwarded`, which may be empty; none if it is malformed, or there are several.
    fn element(&self) -> Option<ForwardedElement<'a>> {
        self.element.text().ok()?.map_or(Some(ForwardedElement::default()), ForwardedElement::parse)
    }
}

impl<'a> Family<'a> {
    /// Returns the request, if there are method and target. One alone is not reliable, nor are two targets.
    ///
    /// Proxies with a field for the host ask with a `Host` of the gateway's.
    fn request(&self, host: Option<&'a str>) -> Result<Option<Described<'a>>, Fault> {
        match (self.method.text()?, self.target.text()?, self.url.text()?) {
            (Some(method), Some(target), None) => {
                let host = if self.host.is_absent() { host } else { self.host.text().ok().flatten() };
                Ok(Some(Described { method, target, host, ..Described::default() }))
            }
            (Some(method), None, Some(url)) => {
                let (scheme, authority, target) = parts_of(url)?;
                Ok(Some(Described {
                    method,
                    target,
                    host: Some(authority),
                    scheme: Some(scheme),
                    ..Described::default()
                }))
            }
            (None, None, None) => Ok(None),
            _ => Err(Fault::AmbiguousOriginalRequest),
        }
    }
}

/// Returns the host of a request to the gateway (RFC 9112 section 3.3), if there is exactly one.
pub(super) fn host(head: &Parts) -> Option<&str> {
    if let Some(authority) = head.uri.authority() {
        return Some(authority.as_str());
    }
    let mut hosts = head.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(only), None) => only.to_str().ok(),
        _ => None,
    }
}

/// Returns the scheme and the authority of an absolute URL, and the part behind it, as they are spelled.
///
/// The proxy makes the URL of the client's `Host` and the request line, so the client controls both. The path has to
/// begin where the authority ends: with `Host: x?`, a path `/admin` would read as the query of `/`.
fn parts_of(url: &str) -> Result<(&str, &str, &str), Fault> {
    let (scheme, rest) = url.split_once("://").ok_or(Fault::MalformedPath)?;
    let slash = rest.find('/').ok_or(Fault::MalformedPath)?;
    let (authority, target) = rest.split_at_checked(slash).ok_or(Fault::MalformedPath)?;
    let is_known = matches!(scheme, "http" | "https");
    // `host`, `host:port`, `[::1]:port` (RFC 3986 section 3.2), without a user or percent-encoding.
    let is_plain = authority.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte));
    let is_authority = is_plain && authority.parse::<Authority>().is_ok_and(|authority| !authority.host().is_empty());
    if is_known && is_authority { Ok((scheme, authority, target)) } else { Err(Fault::MalformedPath) }
}

impl<'a> Field<'a> {
    fn add(&mut self, value: &'a HeaderValue) {
        self.repeated = self.value.replace(value).is_some() || self.repeated;
    }

    fn is_absent(&self) -> bool {
        self.value.is_none()
    }

    fn text(&self) -> Result<Option<&'a str>, Fault> {
        if self.repeated {
            return Err(Fault::AmbiguousOriginalRequest);
        }
        // Methods and targets in a request line are ASCII.
        self.value.map(|value| value.to_str().map_err(|_| Fault::MalformedPath)).transpose()
    }
}
