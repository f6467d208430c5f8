//! The client whose request causes a question.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address of a client, which tells clients apart at the introspection endpoint.
///
/// No request is admitted or refused by it. It keeps one client from taking all turns at the endpoint, and from blocking
/// the endpoint for others with tokens at which it fails. An IPv6 address counts by its first 64 bits, since a client
/// usually has all addresses of such a network; one that embeds an IPv4 address (mapped, NAT64, 6to4) counts as that.
///
/// A [`Secure`](crate::Secure) layer reads it from the extensions of a request. Put an address there that no client can choose:
/// the peer's, or the one from your own proxy. In actix-web these are `peer_addr` of a request, and `realip_remote_addr` of its
/// `connection_info`, which a client can forge without such a proxy; middleware outside of `Secure` inserts it, as in the
/// folder `examples/actix`.
///
/// # Example
///
/// ```
/// use std::net::{IpAddr, SocketAddr};
/// use portcullis::ClientAddress;
///
/// /// A layer outside of `Secure` does this with the peer of the connection.
/// fn remember<B>(request: &mut http::Request<B>, peer: SocketAddr) {
///     request.extensions_mut().insert(ClientAddress::from(peer.ip()));
/// }
///
/// let of = |address: &str| ClientAddress::from(address.parse::<IpAddr>().expect("an address"));
/// assert_eq!(of("2001:db8::1"), of("2001:db8::2"));
/// assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
/// assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpAddr);

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => match translated(address) {
                Some(v4) => v4.into(),
                None => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
            },
            v4 => v4,
        })
    }
}

/// The IPv4 address of a client behind NAT64 (RFC 6052), where all of IPv4 has the same first 64 bits, or by 6to4 (RFC 3056),
/// where each address has 65,536 of them.
fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Some(Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_told_apart_by_what_each_has_one_of() {
        let of = |address: &str| ClientAddress::from(address.parse::<IpAddr>().unwrap());
        for (one, other, same) in [
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("2001:db8::1", "2001:db8::2", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("64:ff9b::192.0.2.1", "64:ff9b::192.0.2.2", false),
            ("64:ff9b::192.0.2.1", "192.0.2.1", true),
            ("2002:c000:201:1::1", "2002:c000:201:2::1", true),
            ("2002:c000:201::1", "2002:c000:202::1", false),
        ] {
            assert_eq!(of(one) == of(other), same, "{one} {other}");
        }
    }
}
