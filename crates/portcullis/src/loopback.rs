//! The recognition of URLs of this machine, to which http is as good as https.

use url::{Host, Url};

/// Tells whether the URL is of this machine, by its name or address.
#[must_use]
pub fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
