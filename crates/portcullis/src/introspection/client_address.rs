//! Whose request brings a question about.

use std::net::{IpAddr, Ipv6Addr};

/// The address that a request comes from, by which those who bring questions about are told apart.
///
/// Nobody is let in or kept out by it: it keeps one client from taking all turns at the introspection endpoint, and from
/// shutting it for others with tokens at which it fails. An IPv6 address counts by its first 64 bits, since whoever has one has
/// them all.
///
/// Behind [`Secure`](crate::Secure) it is read from the extensions of a request. Put there what no client can choose: the
/// peer's address, or what a proxy of your own says of it.
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
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
            v4 => v4,
        })
    }
}
