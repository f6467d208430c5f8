//! Addresses of trusted peers: `192.0.2.0/24`, or one address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{
    Network,
    file::{Read, Value},
};

impl Network {
    /// Returns true if an address is in the network; an IPv4-mapped IPv6 address counts as its IPv4 address.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => same(own.to_bits().into(), other.to_bits().into(), 32, self.prefix),
            (IpAddr::V6(own), IpAddr::V6(other)) => same(own.to_bits(), other.to_bits(), 128, self.prefix),
            _ => false,
        }
    }

    /// Returns true if every address of its kind is in the network.
    pub(super) fn is_everyone(&self) -> bool {
        self.prefix == 0
    }

    /// Returns the networks of this machine.
    pub(super) fn loopback() -> Vec<Self> {
        vec![
            Self { address: Ipv4Addr::new(127, 0, 0, 0).into(), prefix: 8 },
            Self { address: Ipv6Addr::LOCALHOST.into(), prefix: 128 },
        ]
    }
}

/// Returns true if the first bits of two addresses are the same.
fn same(one: u128, other: u128, width: u32, prefix: u8) -> bool {
    let rest = width.saturating_sub(prefix.into());
    one.checked_shr(rest) == other.checked_shr(rest)
}

pub(super) fn network(value: &Value<'_>) -> Read<Network> {
    let text = value.text()?;
    let Some(network) = parse(text) else {
        let problem = value.problem(format!("expected an address or a network, got \"{text}\""));
        return Err(problem.help("write it as in \"192.0.2.1\", \"10.0.0.0/8\" or \"fd00::/8\""));
    };
    let first = first_of(&network);
    if first != network.address {
        let problem = value.problem(format!("expected the first address of a network, got {}", network.address));
        return Err(problem.help(format!("write \"{first}/{}\" for the network, or the address alone", network.prefix)));
    }
    Ok(network)
}

fn parse(text: &str) -> Option<Network> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => (address, Some(prefix)),
        Some(_) => return None,
        None => (text, None),
    };
    let written: IpAddr = address.parse().ok()?;
    let width = |address: &IpAddr| if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.map_or(Some(width(&written)), |prefix| prefix.parse().ok())?;
    let canonical = written.to_canonical();
    // `::ffff:10.0.0.0/104` is 10.0.0.0/8: addresses are compared as IPv4.
    let narrower = width(&written) - width(&canonical);
    (prefix >= narrower && prefix <= width(&written)).then(|| Network { address: canonical, prefix: prefix - narrower })
}

fn first_of(network: &Network) -> IpAddr {
    match network.address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(network.prefix)).unwrap_or(0);
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(network.prefix)).unwrap_or(0);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_its_network() {
        let table = [
            ("10.0.0.0/8", "10.255.1.2", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("10.0.0.0/8", "::10.1.2.3", false),
            ("::ffff:10.0.0.0/104", "10.1.2.3", true),
            ("::ffff:10.0.0.0/104", "11.1.2.3", false),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "::ffff:203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "127.0.0.1", false),
            ("fd00::/8", "fdff::1", true),
            ("fd00::/8", "fe00::1", false),
            ("::1", "::1", true),
            ("::1", "::2", false),
            ("127.0.0.0/8", "::1", false),
        ];
        for (network, address, expected) in table {
            assert_eq!(parse(network).unwrap().contains(address.parse().unwrap()), expected, "{address} in {network}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "10.0.0.0/33",
            "::/129",
            "::ffff:10.0.0.0/8",
            "10.0.0/8",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "localhost",
            "10.0.0.0/8/8",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
