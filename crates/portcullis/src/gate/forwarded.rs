//! The scheme and the host of the client's URL, as a proxy tells them: `Forwarded` (RFC 7239), and the `X-Forwarded-` fields of before.

use std::{fmt, net::IpAddr, sync::Arc};

use http::{HeaderName, header::FORWARDED};

use crate::bearer::HeaderFields;

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The address of the other end of a request's connection.
///
/// In tower, another layer outside of [`Secure`](crate::Secure) puts it into the extensions of a request; actix-web knows it. Only
/// [`Dpop::forwarded_from`](crate::Dpop::forwarded_from) depends on it.
///
/// # Example
///
/// ```
/// use std::net::SocketAddr;
/// use axum::extract::{ConnectInfo, Request};
/// use portcullis::ConnectionPeer;
///
/// /// For `axum::middleware::map_request`, with `into_make_service_with_connect_info::<SocketAddr>()`.
/// async fn remember_peer(ConnectInfo(peer): ConnectInfo<SocketAddr>, mut request: Request) -> Request {
///     request.extensions_mut().insert(ConnectionPeer(peer.ip()));
///     request
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnectionPeer(pub IpAddr);

/// The proxies whose fields count.
#[derive(Clone)]
pub(super) struct TrustedProxies(Arc<dyn Fn(IpAddr) -> bool + Send + Sync>);

/// An element of the field `Forwarded` (RFC 7239 section 4): the facts of one proxy.
///
/// # Example
///
/// ```
/// use portcullis::ForwardedElement;
///
/// let element = ForwardedElement::parse(r#"for="[2001:db8::1]:4711";host=api.example.com;proto=https"#).unwrap();
/// assert_eq!(element.client, Some("[2001:db8::1]:4711"));
/// assert_eq!((element.host, element.scheme), (Some("api.example.com"), Some("https")));
/// assert_eq!(ForwardedElement::parse("host=a.example, host=b.example"), None);
/// ```
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForwardedElement<'a> {
    /// The client of the proxy (`for`): an address, in brackets if it is of IPv6, with or without a port; or another identifier.
    pub client: Option<&'a str>,
    /// The host that the client requested (`host`), with or without a port.
    pub host: Option<&'a str>,
    /// The scheme that the client used (`proto`).
    pub scheme: Option<&'a str>,
}

/// The facts that a proxy tells.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Forwarded<'a> {
    pub(super) scheme: Option<&'a str>,
    /// The host, with or without a port.
    pub(super) host: Option<&'a str>,
}

impl TrustedProxies {
    pub(super) fn new(are_trusted: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(are_trusted))
    }

    pub(super) fn include(&self, peer: ConnectionPeer) -> bool {
        (self.0)(peer.0.to_canonical())
    }
}

impl fmt::Debug for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TrustedProxies")
    }
}

impl<'a> Forwarded<'a> {
    /// Reads the fields; none if one is malformed or occurs twice, if a request came through several proxies, or if the fields
    /// contradict each other.
    pub(super) fn of(fields: &'a dyn HeaderFields) -> Option<Self> {
        let old = Self {
            scheme: only(fields, &X_FORWARDED_PROTO)?.map(str::trim),
            host: only(fields, &X_FORWARDED_HOST)?.map(str::trim),
        };
        let element = only(fields, &FORWARDED)?;
        let element = element.map_or(Some(ForwardedElement::default()), ForwardedElement::parse)?;
        Some(Self { scheme: agreed(old.scheme, element.scheme)?, host: agreed(old.host, element.host)? })
    }
}

impl<'a> ForwardedElement<'a> {
    /// Reads an element; none if it is malformed, has a parameter twice, or is several elements.
    #[must_use]
    pub fn parse(element: &'a str) -> Option<Self> {
        let mut read = Self::default();
        for pair in element.split(';') {
            let (name, value) = pair.split_once('=')?;
            let value = unquoted(value.trim_end())?;
            let name = name.trim_start();
            let places = [("for", &mut read.client), ("host", &mut read.host), ("proto", &mut read.scheme)];
            if let Some((_, place)) = places.into_iter().find(|(own, _)| name.eq_ignore_ascii_case(own))
                && place.replace(value).is_some()
            {
                return None;
            }
        }
        Some(read)
    }
}

/// Returns the text of the field of this name, if it occurs; none if it occurs twice or is no text.
fn only<'a>(fields: &'a dyn HeaderFields, name: &HeaderName) -> Option<Option<&'a str>> {
    match fields.first_two(name) {
        [None, _] => Some(None),
        [Some(value), None] => std::str::from_utf8(value).ok().map(Some),
        _ => None,
    }
}

/// Returns the one fact of two places; none if they differ.
fn agreed<'a>(one: Option<&'a str>, other: Option<&'a str>) -> Option<Option<&'a str>> {
    match (one, other) {
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other).then_some(Some(one)),
        _ => Some(one.or(other)),
    }
}

/// Returns the text of a token, or of a quoted string without escapes; a comma would begin another element.
fn unquoted(value: &str) -> Option<&str> {
    let quoted = value.strip_prefix('"').map(|rest| rest.strip_suffix('"'));
    let text = quoted.unwrap_or(Some(value))?;
    let is_plain = !text.is_empty() && !text.contains(['"', '\\', ',', ' ', '\t']);
    is_plain.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_tell_scheme_and_host_or_nothing_clear() {
        let told = |scheme, host| Some(Forwarded { scheme, host });
        let (https, api) = (Some("https"), Some("api.example.com"));
        for (fields, expected) in [
            (&[][..], told(None, None)),
            (&[("x-forwarded-proto", "https")], told(https, None)),
            (&[("x-forwarded-host", "api.example.com"), ("x-forwarded-proto", "https")], told(https, api)),
            (&[("forwarded", "for=192.0.2.1;host=api.example.com;proto=https")], told(https, api)),
            (&[("forwarded", "proto=https; Host=\"api.example.com:8443\"")], told(https, Some("api.example.com:8443"))),
            (&[("forwarded", "for=\"[2001:db8::1]:80\"")], told(None, None)),
            (
                &[("forwarded", "host=api.example.com"), ("x-forwarded-host", "API.example.com")],
                told(None, Some("API.example.com")),
            ),
            (&[("forwarded", "host=evil.example"), ("x-forwarded-host", "api.example.com")], None),
            (&[("forwarded", "proto=http"), ("x-forwarded-proto", "https")], None),
            (&[("forwarded", "host=a.example, host=b.example")], None),
            (&[("forwarded", "host=a.example;host=b.example")], None),
            (&[("forwarded", "host=\"a.example")], None),
            (&[("forwarded", "host=\"a\\\"b\"")], None),
            (&[("forwarded", "host=")], None),
            (&[("forwarded", "host")], None),
            (&[("forwarded", "host=a.example"), ("forwarded", "host=a.example")], None),
            (&[("x-forwarded-host", "a.example"), ("x-forwarded-host", "a.example")], None),
        ] {
            let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
            assert_eq!(Forwarded::of(&fields), expected, "{fields:?}");
        }
        assert_eq!(Forwarded::of(&vec![("x-forwarded-host", &b"\xff"[..])]), None);
    }
}
