//! Resolves names for the default client, to allowed addresses only.
//!
//! Names are resolved when a connection is made, and the client connects to the very addresses that were checked. So a
//! name that changes its address in between gains nothing.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Url;

use super::{client::BoxError, reach::Reach};

/// Resolves a name.
type Lookup = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// The number of names whose addresses are remembered: of an issuer, of its keys, of a proxy.
const MOST_NAMES: usize = 16;

#[derive(Clone)]
pub(super) struct Names {
    lookup: Arc<Lookup>,
    known: Arc<Mutex<BTreeMap<String, Known>>>,
}

#[derive(Default)]
struct Known {
    reach: Option<Reach>,
    addresses: Vec<IpAddr>,
}

impl Names {
    /// Names as the system resolves them.
    pub(super) fn of_the_system() -> Self {
        Self::by(|name| Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect()))
    }

    pub(super) fn by(lookup: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static) -> Self {
        Self { lookup: Arc::new(lookup), known: Arc::default() }
    }

    /// Bounds later connections to this URL's host; `None` removes the bound.
    pub(super) fn bound(&self, url: &Url, reach: Option<Reach>) {
        let Some(name) = url.domain() else { return };
        let mut known = self.lock();
        if known.len() >= MOST_NAMES && !known.contains_key(name) {
            known.clear();
        }
        known.entry(name.to_owned()).or_default().reach = reach;
    }

    /// Tells whether this is an address of the URL's host: behind a proxy, connections are to the proxy's address.
    pub(super) fn is_at(&self, url: &Url, address: IpAddr) -> bool {
        let Some(name) = url.domain() else { return false };
        self.lock().get(name).is_some_and(|known| known.addresses.contains(&address))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge(&self, name: &str, addresses: &[IpAddr]) -> Result<Addrs, BoxError> {
        let mut known = self.lock();
        // A name without a request is that of a proxy.
        let reach = known.get(name).and_then(|known| known.reach);
        let allowed: Vec<_> =
            addresses.iter().copied().filter(|address| reach.is_none_or(|reach| reach.allows(*address))).collect();
        if allowed.is_empty() && !addresses.is_empty() {
            return Err(OutOfReach.into());
        }
        if let Some(known) = known.get_mut(name) {
            known.addresses.clone_from(&allowed);
        }
        Ok(Box::new(allowed.into_iter().map(|address| SocketAddr::new(address, 0))))
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let names = self.clone();
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let lookup = Arc::clone(&names.lookup);
            let asked = name.clone();
            let addresses = tokio::task::spawn_blocking(move || lookup(&asked)).await??;
            names.judge(&name, &addresses)
        })
    }
}

/// The error for a name without an allowed address.
#[derive(Debug)]
pub(crate) struct OutOfReach;

impl std::fmt::Display for OutOfReach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            "the host is on this machine or in a network that the issuer itself is not in: if this is intended, \
             configure the URL itself (`jwks_uri`, or `endpoint` of an exchange)",
        )
    }
}

impl std::error::Error for OutOfReach {}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    async fn found(names: &Names) -> Option<Vec<IpAddr>> {
        let addresses = names.resolve("keys.example".parse().unwrap()).await.ok()?;
        Some(addresses.map(|address| address.ip()).collect())
    }

    fn url() -> Url {
        Url::parse("https://keys.example/jwks").unwrap()
    }

    fn as_far_as(peer: &str) -> Option<Reach> {
        Some(Reach::of_issuer(&Url::parse("https://as.example").unwrap(), Some(address(peer))))
    }

    /// Each resolution is checked, and a connection uses the addresses of its own one.
    #[tokio::test]
    async fn a_name_that_changes_its_address_gains_nothing() {
        let looks = AtomicUsize::new(0);
        let addresses = ["203.0.113.1", "127.0.0.1", "169.254.169.254"];
        let names = Names::by(move |_| Ok(vec![address(addresses[looks.fetch_add(1, Ordering::SeqCst)])]));
        names.bound(&url(), as_far_as("203.0.113.9"));
        assert_eq!(found(&names).await, Some(vec![address("203.0.113.1")]));
        assert_eq!(found(&names).await, None);
        assert_eq!(found(&names).await, None);
        assert!(!names.is_at(&url(), address("127.0.0.1")));
    }

    #[tokio::test]
    async fn of_several_addresses_those_within_reach_are_left() {
        let all = || ["127.0.0.1", "10.0.0.1", "::ffff:10.0.0.2", "203.0.113.1", "fd00:ec2::254"].map(address).to_vec();
        let names = Names::by(move |_| Ok(all()));
        for (issuer, left) in [("203.0.113.9", 1), ("10.9.9.9", 3), ("127.0.0.1", 4)] {
            names.bound(&url(), as_far_as(issuer));
            assert_eq!(found(&names).await.map(|found| found.len()), Some(left), "{issuer}");
        }
        names.bound(&url(), None);
        assert_eq!(found(&names).await.map(|found| found.len()), Some(5), "an operator's own word");
    }

    #[test]
    fn the_names_that_are_remembered_are_few() {
        let names = Names::of_the_system();
        for index in 0..1000 {
            names.bound(&Url::parse(&format!("https://h{index}.example")).unwrap(), None);
        }
        assert!(names.lock().len() <= MOST_NAMES);
    }
}
