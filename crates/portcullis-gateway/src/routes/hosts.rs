//! The hosts of a route.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::pattern::NotAPattern;

/// The hosts of a route.
///
/// Hosts compare without letter case (RFC 3986 section 3.2.2) and without the port, which some proxies leave out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hosts(Box<[Host]>);

/// A host, or several, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    /// `*`: each host, and no host.
    Any,
    /// A name or an address.
    Named(String),
    /// `*.example.com`, without the `*`: each name below it.
    Below(String),
}

impl Host {
    /// Reads a host, or a pattern of hosts.
    ///
    /// # Errors
    ///
    /// The reason why the text is none.
    pub(crate) fn parse(text: &str) -> Result<Self, NotAPattern> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let (below, name) = text.strip_prefix("*.").map_or((false, text), |name| (true, name));
        if let Some(address) = ipv6(name).filter(|_| !below) {
            return Ok(Self::Named(format!("[{address}]")));
        }
        if !is_name(name) && (below || name.parse::<Ipv4Addr>().is_err()) {
            let problem = format!("expected a host, got `{text}`");
            let help = "write a name without a port, as in `api.example.com`, or `*.example.com` for all names below it; \
                        other scripts in their form for machines (`xn--…`)";
            return Err(NotAPattern { problem, help: help.to_owned() });
        }
        let name = name.to_ascii_lowercase();
        Ok(if below { Self::Below(format!(".{name}")) } else { Self::Named(name) })
    }

    fn is(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Named(name) => host.eq_ignore_ascii_case(name),
            Self::Below(suffix) => {
                let name = host.len().checked_sub(suffix.len()).and_then(|at| host.split_at_checked(at));
                name.is_some_and(|(name, end)| !name.is_empty() && end.eq_ignore_ascii_case(suffix))
            }
        }
    }

    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (_, Self::Named(name)) => self.is(name),
            (Self::Below(own), Self::Below(other)) => other.ends_with(own.as_str()),
            _ => false,
        }
    }
}

impl Hosts {
    pub(crate) fn new(hosts: Vec<Host>) -> Self {
        Self(hosts.into())
    }

    /// Returns true if no host is named: the route is for each.
    pub(crate) fn are_unnamed(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns true if requests to this host ([`host_of`]) are among these; none is an unknown one.
    pub(super) fn take(&self, host: Option<&str>) -> bool {
        self.0.is_empty() || self.0.iter().any(|own| *own == Host::Any || host.is_some_and(|host| own.is(host)))
    }

    /// Returns true if it depends on the host whether a request is among these.
    pub(super) fn depend_on_it(&self) -> bool {
        !self.0.is_empty() && !self.0.contains(&Host::Any)
    }

    /// Returns true if each of the other hosts is among these.
    pub(crate) fn cover(&self, other: &Self) -> bool {
        let covers = |other: &Host| self.0.iter().any(|own| own.covers(other));
        self.0.is_empty() || self.0.contains(&Host::Any) || (!other.0.is_empty() && other.0.iter().all(covers))
    }
}

/// Returns the host of an authority, without the port; the rest may be malformed.
pub(crate) fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// Returns the host of an authority (RFC 3986 section 3.2); none if the authority is malformed, ends with the root's dot, or is an address
/// in another spelling than the usual one (RFC 5952; four decimal numbers).
///
/// Proxies differ in what they leave out before they compare hosts: Traefik takes `admin.example.com.` and `admin.example.com:x` for
/// `admin.example.com`, and some servers `[0::1]` for `[::1]`; others do not. As another host it would be under the route of `*`; as the same, under that of a host that the
/// proxy has not chosen.
pub(super) fn host_of(authority: &str) -> Option<&str> {
    let host = without_port(authority);
    let is_plain = |address: Ipv6Addr| host.eq_ignore_ascii_case(&format!("[{address}]"));
    (is_name(host) || host.parse::<Ipv4Addr>().is_ok() || ipv6(host).is_some_and(is_plain)).then_some(host)
}

/// Reads an IPv6 address in brackets, in any spelling.
fn ipv6(host: &str) -> Option<Ipv6Addr> {
    host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

/// Returns true if a text is a name, and no address: the last label of one is a number, also in `127.1` and `0x7f000001`.
fn is_name(host: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_number = |label: &str| match label.strip_prefix("0x").or_else(|| label.strip_prefix("0X")) {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => label.bytes().all(|byte| byte.is_ascii_digit()),
    };
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(is_letter);
    host.split('.').all(is_label) && host.rsplit('.').next().is_some_and(|last| !is_number(last))
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Named(name) => f.write_str(name),
            Self::Below(suffix) => write!(f, "*{suffix}"),
        }
    }
}

impl std::fmt::Display for Hosts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hosts: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&hosts.join(","))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn hosts(texts: &[&str]) -> Hosts {
        Hosts::new(texts.iter().map(|text| Host::parse(text).unwrap()).collect())
    }

    #[test]
    fn a_request_is_for_one_of_the_hosts_or_not() {
        for (texts, authority, taken) in [
            (&["api.example.com"][..], Some("api.example.com"), true),
            (&["api.example.com"], Some("API.example.COM:8443"), true),
            (&["API.example.com"], Some("api.example.com"), true),
            (&["api.example.com"], Some("api.example.com."), false),
            (&["api.example.com"], Some("api.example.com.:80"), false),
            (&["api.example.com"], Some("api.example.com.."), false),
            (&["api.example.com"], Some("api.example.com:x"), false),
            (&["api.example.com"], Some("xapi.example.com"), false),
            (&["api.example.com"], Some("api.example.com.evil.example"), false),
            (&["api.example.com"], None, false),
            (&["a.example", "b.example"], Some("b.example"), true),
            (&["*.example.com"], Some("api.example.com"), true),
            (&["*.example.com"], Some("a.b.example.com:80"), true),
            (&["*.example.com"], Some("example.com"), false),
            (&["*.example.com"], Some(".example.com"), false),
            (&["*.example.com"], Some("evilexample.com"), false),
            (&["*.example.com"], Some("\u{e9}.example.com"), false),
            (&["[::1]"], Some("[::1]:9080"), true),
            (&["[0:0::0:1]"], Some("[::1]"), true),
            (&["[2001:DB8::A]"], Some("[2001:db8::a]"), true),
            (&["*"], None, true),
            (&["*"], Some("x"), true),
            (&[], None, true),
        ] {
            assert_eq!(hosts(texts).take(authority.and_then(host_of)), taken, "{texts:?} {authority:?}");
        }
    }

    #[test]
    fn an_authority_has_one_host_or_none() {
        for (authority, host) in [
            ("api.example.com", Some("api.example.com")),
            ("api_1.example-x.com:8443", Some("api_1.example-x.com")),
            ("api.example.com:", Some("api.example.com")),
            ("api.example.com.", None),
            ("api.example.com.:80", None),
            ("127.0.0.1:80", Some("127.0.0.1")),
            ("[::1]", Some("[::1]")),
            ("[::1]:80", Some("[::1]")),
            ("[2001:DB8::a]:80", Some("[2001:DB8::a]")),
            ("[::ffff:127.0.0.1]", Some("[::ffff:127.0.0.1]")),
            ("v1.example.com", Some("v1.example.com")),
            ("1", None),
            ("x0.1.2.0x", None),
            // Other spellings of an address.
            ("[0:0:0:0:0:0:0:1]", None),
            ("[0::1]", None),
            ("[::0001]:80", None),
            ("[::ffff:7f00:1]", None),
            ("[::1%25eth0]", None),
            ("127.1", None),
            ("127.0.0.01", None),
            ("0177.0.0.1", None),
            ("0x7f.1", None),
            ("127.0.0.0x1", None),
            ("127.0.0.0X", None),
            ("2130706433", None),
            ("0x7F000001", None),
            ("127.0.0.1.", None),
            ("", None),
            (".", None),
            (":80", None),
            ("api.example.com..", None),
            (".example.com", None),
            ("api.example.com:x", None),
            ("api.example.com:80:80", None),
            ("user@api.example.com", None),
            ("a.example, b.example", None),
            ("a.example,b.example", None),
            ("api.example.com/", None),
            ("api%2eexample.com", None),
            ("\u{e9}.example.com", None),
            ("::1", None),
            ("[::1", None),
            ("[api.example.com]", None),
        ] {
            assert_eq!(host_of(authority), host, "{authority}");
        }
    }

    #[test]
    fn other_texts_are_no_hosts() {
        for text in [
            "",
            "api.example.com:80",
            "https://api.example.com",
            "a..b",
            "*",
            "a.*.b",
            "*a.b",
            "*.",
            "a b",
            "\u{e9}.example",
            "a/b",
            "*.[::1]",
            "[::g]",
            "[api.example.com]",
            "127.1",
            "2130706433",
            "*.1",
        ] {
            assert_eq!(Host::parse(text).is_ok(), text == "*", "{text}");
        }
    }

    #[test]
    fn hosts_cover_others() {
        for (own, other, covered) in [
            (&["*"][..], &[][..], true),
            (&[], &["a.example"], true),
            (&["a.example"], &[], false),
            (&["a.example", "b.example"], &["b.example"], true),
            (&["a.example"], &["a.example", "b.example"], false),
            (&["*.example"], &["a.example", "*.b.example"], true),
            (&["*.b.example"], &["*.example"], false),
            (&["a.example"], &["*"], false),
            (&["a.example"], &["*.a.example"], false),
        ] {
            assert_eq!(hosts(own).cover(&hosts(other)), covered, "{own:?} {other:?}");
        }
    }
}
