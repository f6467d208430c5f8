//! The names by which the admin listener may be requested.
//!
//! A page of another site can lead a name of its own to this address (DNS rebinding), have a browser send requests here
//! by that name, and read the answers. So the host has to be an address, `localhost`, or a configured name.

use std::sync::Arc;

use http::{HeaderMap, Uri, header::HOST, uri::Authority};

/// The accepted names besides addresses and `localhost`, without ports.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hosts(Arc<[String]>);

impl Hosts {
    pub(crate) fn new(names: &[String]) -> Self {
        Self(names.into())
    }

    /// Returns true if the request's host is an address, `localhost` or a configured name.
    pub(super) fn have(&self, headers: &HeaderMap, uri: &Uri) -> bool {
        let mut fields = headers.get_all(HOST).iter();
        let (field, None) = (fields.next().and_then(|host| host.to_str().ok()), fields.next()) else { return false };
        let Some(authority) = uri.authority().map(Authority::as_str).or(field) else { return false };
        let Ok(authority) = authority.parse::<Authority>() else { return false };
        let host = authority.host();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        bare.eq_ignore_ascii_case("localhost")
            || bare.parse::<std::net::IpAddr>().is_ok()
            || self.0.iter().any(|name| name.eq_ignore_ascii_case(bare))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says so")]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_name_of_somebody_else_is_no_way_to_the_console() {
        let hosts = Hosts::new(&["gateway.internal".to_owned()]);
        for (host, allowed) in [
            ("127.0.0.1:9081", true),
            ("[::1]:9081", true),
            ("localhost:9081", true),
            ("LOCALHOST", true),
            ("10.1.2.3", true),
            ("gateway.internal:9081", true),
            ("Gateway.Internal", true),
            ("x.gateway.internal", false),
            ("gateway.internal.evil.example", false),
            ("evil.example", false),
            ("127.0.0.1.evil.example:9081", false),
            ("localhost.evil.example", false),
            ("", false),
            ("user@127.0.0.1", true),
        ] {
            let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
            assert_eq!(hosts.have(&headers, &Uri::from_static("/console")), allowed, "{host}");
            assert!(!hosts.have(&headers, &"http://evil.example/console".parse().unwrap()), "{host}");
        }
        let two = ["localhost", "evil.example"].map(|host| (HOST, HeaderValue::from_static(host)));
        let mut headers = HeaderMap::new();
        headers.extend(two);
        assert!(!hosts.have(&headers, &Uri::from_static("/console")), "two hosts");
        assert!(!hosts.have(&HeaderMap::new(), &Uri::from_static("/console")));
    }
}
