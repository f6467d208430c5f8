//! The client of the request in question: its address, by which alone clients are told apart.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, HeaderValue, header::FORWARDED};
use portcullis::ForwardedElement;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// Returns the client's address, as far as this peer, which is trusted, tells it.
///
/// It is the last one in `X-Forwarded-For`, or in `Forwarded` where proxies write that, before the addresses of trusted proxies, or the one in `X-Real-IP`; the
/// client may have made up anything further to the left. Where all are trusted, the first one is the client. The peer's
/// own address tells nothing: proxies write it where they know no other.
pub(super) fn address(
    headers: &HeaderMap,
    peer: IpAddr,
    reads_forwarded: bool,
    trusts: impl Fn(IpAddr) -> bool,
) -> Option<IpAddr> {
    let (name, read): (_, fn(&str) -> Option<IpAddr>) =
        if reads_forwarded { (&FORWARDED, client_of) } else { (&FORWARDED_FOR, parse) };
    let fields = headers.get_all(name).iter().rev();
    let addresses = fields.flat_map(|field| text(field).rsplit(',').map(read));
    let mut forwarded = None;
    for address in addresses {
        forwarded = address;
        if address.is_none_or(|address| !trusts(address)) {
            break;
        }
    }
    forwarded.or_else(|| only(headers)).filter(|address| *address != peer)
}

/// Returns the address of the `X-Real-IP` field, if there is exactly one.
fn only(headers: &HeaderMap) -> Option<IpAddr> {
    let mut fields = headers.get_all(&REAL_IP).iter();
    match (fields.next(), fields.next()) {
        (Some(field), None) => parse(text(field)),
        _ => None,
    }
}

fn text(field: &HeaderValue) -> &str {
    field.to_str().unwrap_or_default()
}

/// Reads the address of the client in an element of `Forwarded`.
fn client_of(element: &str) -> Option<IpAddr> {
    parse(ForwardedElement::parse(element.trim())?.client?)
}

/// Reads an address, with or without a port.
fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says so")]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_whom_a_trusted_peer_names_last() {
        let of = |peer: &str, fields: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.append(*name, value.parse().unwrap());
            }
            let trusts = |address: IpAddr| address.is_loopback() || address == IpAddr::from([10, 0, 0, 1]);
            let reads_forwarded = headers.contains_key("forwarded");
            address(&headers, peer.parse().unwrap(), reads_forwarded, trusts)
                .map(|address| address.to_string())
                .unwrap_or_default()
        };
        let (forwarded, real) = ("x-forwarded-for", "x-real-ip");
        for (peer, fields, expected) in [
            ("127.0.0.1", vec![], ""),
            ("127.0.0.1", vec![(forwarded, "192.0.2.1")], "192.0.2.1"),
            ("127.0.0.1", vec![(real, "192.0.2.2")], "192.0.2.2"),
            ("127.0.0.1", vec![(forwarded, "192.0.2.1"), (real, "192.0.2.2")], "192.0.2.1"),
            // The client's own text is to the left.
            ("127.0.0.1", vec![(forwarded, "198.51.100.1, 192.0.2.1")], "192.0.2.1"),
            ("127.0.0.1", vec![(forwarded, "198.51.100.1"), (forwarded, "192.0.2.1")], "192.0.2.1"),
            ("127.0.0.1", vec![(forwarded, "made up,192.0.2.1 , 10.0.0.1,127.0.0.1")], "192.0.2.1"),
            // Only the nearest trusted proxy counts.
            ("127.0.0.1", vec![(forwarded, "192.0.2.1, made up")], ""),
            ("127.0.0.1", vec![(forwarded, "192.0.2.1, made up, 10.0.0.1")], ""),
            ("127.0.0.1", vec![(forwarded, "192.0.2.1,")], ""),
            ("127.0.0.1", vec![(forwarded, "192.0.2.1, \u{fc}")], ""),
            ("127.0.0.1", vec![(forwarded, "unknown"), (real, "192.0.2.2")], "192.0.2.2"),
            ("127.0.0.1", vec![(real, "192.0.2.2"), (real, "192.0.2.3")], ""),
            // A proxy's address is no client's, and each client on this machine has its own.
            ("127.0.0.1", vec![(forwarded, "127.0.0.1"), (real, "192.0.2.2")], ""),
            ("127.0.0.1", vec![(real, "127.0.0.1")], ""),
            ("127.0.0.1", vec![(forwarded, "127.0.0.2, 10.0.0.1")], "127.0.0.2"),
            ("127.0.0.1", vec![(real, "127.0.0.2")], "127.0.0.2"),
            ("127.0.0.1", vec![(forwarded, "192.0.2.1:4711")], "192.0.2.1"),
            ("127.0.0.1", vec![(forwarded, "[2001:db8::1]:4711")], "2001:db8::1"),
            ("127.0.0.1", vec![(forwarded, "[2001:db8::1]")], "2001:db8::1"),
            ("127.0.0.1", vec![("forwarded", "for=192.0.2.1;proto=https"), (forwarded, "192.0.2.9")], "192.0.2.1"),
            ("127.0.0.1", vec![("forwarded", "for=198.51.100.1, for=\"192.0.2.1:4711\", for=10.0.0.1")], "192.0.2.1"),
            ("127.0.0.1", vec![("forwarded", "for=\"[2001:db8::1]:4711\"")], "2001:db8::1"),
            ("127.0.0.1", vec![("forwarded", "for=192.0.2.1, for=_hidden")], ""),
            ("127.0.0.1", vec![("forwarded", "for=192.0.2.1, for=\"unknown")], ""),
        ] {
            assert_eq!(of(peer, &fields), expected, "{peer} {fields:?}");
        }
    }
}
