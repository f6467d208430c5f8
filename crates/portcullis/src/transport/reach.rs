//! The allowed addresses of a URL that an authorization server chose, and not the operator.
//!
//! An issuer's metadata name the URL of its keys. A malicious issuer could aim it at services that only this machine
//! can reach: on loopback, the cloud's metadata service, hosts of the private network. So the address has to be public, or
//! of the same kind as the issuer's own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The kinds of addresses that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressKind {
    Public,
    /// Addresses of carriers and overlay networks (RFC 6598).
    Shared,
    /// RFC 1918, unique local (RFC 4193), and other addresses that are routed within a site only.
    Private,
    /// RFC 3927, RFC 4291 section 2.5.6; also the metadata services of clouds, which serve credentials.
    LinkLocal,
    /// This machine.
    Loopback,
    /// Multicast, broadcast and reserved addresses: never a server's.
    Unusable,
}

/// Cloud metadata services outside the link-local ranges: of AWS, Google, Oracle and Scaleway over IPv6, of Alibaba and
/// Oracle, Azure's host.
const METADATA_SERVICES: [IpAddr; 7] = [
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
];

impl AddressKind {
    pub(crate) fn of(address: IpAddr) -> Self {
        match address {
            _ if METADATA_SERVICES.contains(&address) => Self::LinkLocal,
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => embedded_v4(address).map_or_else(|| Self::of_v6(address), |v4| Self::of(v4.into())),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        match address.octets() {
            [0 | 127, ..] => Self::Loopback,
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [192, 0, 0, _] | [198, 18 | 19, ..] => Self::Private,
            [100, 64..=127, ..] => Self::Shared,
            [169, 254, ..] => Self::LinkLocal,
            [224..=255, ..] => Self::Unusable,
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        match address.segments() {
            [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Self::Loopback,
            [0xfe80..=0xfebf, ..] => Self::LinkLocal,
            // Unique local, deprecated site-local, and NAT64 within a site (RFC 8215).
            [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] | [0x64, 0xff9b, 1, ..] => Self::Private,
            [0xff00..=0xffff, ..] => Self::Unusable,
            _ => Self::Public,
        }
    }
}

/// The IPv4 address behind this one: mapped, compatible, translated (RFC 6052), 6to4, Teredo, ISATAP.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => v4(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => v4(high, low),
        // Within a site (RFC 8215), by ISATAP (RFC 5214): at least private.
        [0x64, 0xff9b, 1, .., high, low] | [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => v4(high, low)
            .filter(|v4| matches!(AddressKind::of((*v4).into()), AddressKind::Loopback | AddressKind::LinkLocal)),
        [0x2001, 0, .., high, low] => v4(!high, !low),
        _ => None,
    }
}

/// The addresses that a URL from an issuer's metadata may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reach {
    /// The kind of the issuer's own address; public if it is not known.
    issuer: AddressKind,
}

impl Reach {
    /// The reach of the issuer at this URL, and at this address, if it is known.
    pub(crate) fn of_issuer(url: &Url, peer: Option<IpAddr>) -> Self {
        let address = literal(url).or(peer);
        Self { issuer: address.map_or(AddressKind::Public, AddressKind::of) }
    }

    pub(crate) fn allows(self, address: IpAddr) -> bool {
        match AddressKind::of(address) {
            AddressKind::Public => true,
            AddressKind::Unusable => false,
            // An issuer on this machine reaches the machine's network anyway.
            AddressKind::Shared | AddressKind::Private if self.issuer == AddressKind::Loopback => true,
            kind => kind == self.issuer,
        }
    }

    /// Tells whether the URL's host is allowed, as far as possible without resolving its name.
    pub(crate) fn allows_literal(self, url: &Url) -> bool {
        literal(url).is_none_or(|address| self.allows(address))
    }
}

/// The address that a URL names; a name that always stands for this machine counts as one.
fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            (name == "localhost" || name.ends_with(".localhost")).then_some(Ipv4Addr::LOCALHOST.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(address: &str) -> AddressKind {
        AddressKind::of(address.parse().unwrap())
    }

    #[test]
    fn an_address_is_of_the_kind_that_it_leads_to() {
        let table = [
            (AddressKind::Loopback, "127.0.0.1 127.255.0.9 0.0.0.0 0.1.2.3 ::1 :: ::ffff:127.0.0.1 ::127.0.0.1"),
            (AddressKind::Loopback, "64:ff9b::7f00:1 2002:7f00:1:: 2001:0:1:2:3:4:80ff:fffe ::ffff:0:127.0.0.1"),
            (AddressKind::LinkLocal, "169.254.169.254 169.254.0.1 fe80::1 febf::1 ::ffff:169.254.169.254"),
            (AddressKind::LinkLocal, "64:ff9b::a9fe:a9fe 2002:a9fe:a9fe:: fd00:ec2::254 100.100.100.200 168.63.129.16"),
            (AddressKind::LinkLocal, "fd20:ce::254 fd00:c1::a9fe:a9fe fd00:42::42 192.0.0.192 ::ffff:192.0.0.192"),
            (AddressKind::LinkLocal, "64:ff9b:1::a9fe:a9fe fe80::5efe:10.0.0.1 2001:db8::5efe:169.254.169.254"),
            (AddressKind::Loopback, "64:ff9b:1::7f00:1 2001:db8::200:5efe:127.0.0.1"),
            (AddressKind::Private, "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 192.0.0.8 198.18.0.1 fc00::1"),
            (AddressKind::Private, "fdff::1 fec0::1 ::ffff:10.0.0.1 64:ff9b::c0a8:1 64:ff9b:1::a00:1 2002:ac10:1::"),
            (AddressKind::Shared, "100.64.0.1 100.127.255.255 ::ffff:100.64.0.1"),
            (AddressKind::Unusable, "224.0.0.1 255.255.255.255 240.0.0.1 ff02::1 ff0e::1 ::ffff:224.0.0.1"),
            (
                AddressKind::Public,
                "1.1.1.1 172.32.0.1 100.128.0.1 128.0.0.1 2606:4700::1111 ::ffff:8.8.8.8 2002:808:808::",
            ),
        ];
        for (expected, addresses) in table {
            for address in addresses.split(' ') {
                assert_eq!(kind(address), expected, "{address}");
            }
        }
    }

    #[test]
    fn an_issuer_reaches_the_public_and_its_own_kind() {
        let addresses = ["8.8.8.8", "100.64.0.1", "10.0.0.1", "169.254.169.254", "127.0.0.1", "224.0.0.1"];
        let table = [
            ("https://as.example.com", Some("8.8.4.4"), "8.8.8.8"),
            ("https://as.example.com", None, "8.8.8.8"),
            ("https://as.internal", Some("10.9.9.9"), "8.8.8.8 10.0.0.1"),
            ("https://as.internal", Some("fd12::1"), "8.8.8.8 10.0.0.1"),
            ("https://as.tailnet", Some("100.70.0.1"), "8.8.8.8 100.64.0.1"),
            ("http://localhost", None, "8.8.8.8 100.64.0.1 10.0.0.1 127.0.0.1"),
            ("https://127.0.0.1", None, "8.8.8.8 100.64.0.1 10.0.0.1 127.0.0.1"),
            ("https://10.0.0.7", None, "8.8.8.8 10.0.0.1"),
            // A literal address counts, not that of a proxy in between.
            ("https://8.8.4.4", Some("127.0.0.1"), "8.8.8.8"),
        ];
        for (issuer, peer, expected) in table {
            let reach = Reach::of_issuer(&Url::parse(issuer).unwrap(), peer.map(|peer| peer.parse().unwrap()));
            let allowed: Vec<_> = addresses.into_iter().filter(|a| reach.allows(a.parse().unwrap())).collect();
            assert_eq!(allowed.join(" "), expected, "{issuer} at {peer:?}");
        }
    }

    #[test]
    fn every_spelling_of_an_address_is_seen() {
        let reach = Reach::of_issuer(&Url::parse("https://as.example.com").unwrap(), None);
        let hosts = [
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.0.0.1.",
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "[::1]",
            "[::ffff:7f00:1]",
            "169.254.169.254",
            "0xa9fea9fe",
            "%31%32%37.0.0.1",
            "１２７.0.0.1",
            "0",
        ];
        for host in hosts {
            assert!(!reach.allows_literal(&Url::parse(&format!("https://{host}/jwks")).unwrap()), "{host}");
        }
        assert!(reach.allows_literal(&Url::parse("https://keys.example.com/jwks").unwrap()));
    }
}
