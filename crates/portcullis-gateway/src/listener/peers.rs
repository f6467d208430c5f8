//! The number of connections of untrusted peers: none of them may keep others out, nor all of them the trusted ones.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use portcullis::ClientAddress;

use crate::config::Limits;

/// The connections of untrusted peers.
#[derive(Debug)]
pub(super) struct Peers {
    most_each: usize,
    /// The limit for all untrusted peers together: half of all places.
    most_together: usize,
    open: Mutex<Open>,
    crowded: AtomicBool,
}

#[derive(Debug, Default)]
struct Open {
    together: usize,
    /// The peers that have a connection. Peers are told apart as clients are.
    each: HashMap<ClientAddress, Peer>,
}

#[derive(Debug, Default)]
struct Peer {
    connections: usize,
    crowded: Arc<AtomicBool>,
}

/// A connection of an untrusted peer; counted until dropped.
#[derive(Debug)]
pub(super) struct Guest {
    peers: Arc<Peers>,
    address: ClientAddress,
    crowded: Arc<AtomicBool>,
}

impl Peers {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            most_each: limits.connections_per_peer,
            most_together: limits.connections.div_ceil(2).max(limits.connections_per_peer),
            open: Mutex::default(),
            crowded: AtomicBool::new(false),
        }
    }

    /// Counts a connection; none if the peer, or all of them together, have reached their limit.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Guest> {
        let address = ClientAddress::from(address);
        let mut open = self.open();
        if open.together >= self.most_together {
            self.crowded.store(true, Relaxed);
            return None;
        }
        let peer = open.each.entry(address).or_default();
        if peer.connections >= self.most_each {
            peer.crowded.store(true, Relaxed);
            return None;
        }
        peer.connections += 1;
        let crowded = Arc::clone(&peer.crowded);
        open.together += 1;
        Some(Guest { peers: Arc::clone(self), address, crowded })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guest {
    /// Returns true if a connection was refused that could have this one's place.
    pub(super) fn is_crowded(&self) -> bool {
        self.crowded.load(Relaxed) || self.peers.crowded.load(Relaxed)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut open = self.peers.open();
        open.together = open.together.saturating_sub(1);
        self.peers.crowded.store(false, Relaxed);
        let Some(peer) = open.each.get_mut(&self.address) else { return };
        peer.connections = peer.connections.saturating_sub(1);
        peer.crowded.store(false, Relaxed);
        if peer.connections == 0 {
            open.each.remove(&self.address);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says so")]
mod tests {
    use super::*;
    use crate::listener::tests::limits;

    fn peers(each: usize, connections: usize) -> Arc<Peers> {
        Arc::new(Peers::new(&Limits { connections, connections_per_peer: each, ..limits() }))
    }

    #[test]
    fn a_peer_is_an_ipv4_address_or_a_network_of_ipv6() {
        let table = [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("2001:db8::1", "2001:db8::ffff:0:0:1", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("64:ff9b::192.0.2.1", "64:ff9b::192.0.2.2", false),
        ];
        for (one, other, same) in table {
            let peers = peers(1, 100);
            let _first = peers.admit(one.parse().unwrap()).unwrap();
            assert_eq!(peers.admit(other.parse().unwrap()).is_none(), same, "{one} {other}");
        }
    }

    #[test]
    fn each_has_a_bound_and_so_have_all_together() {
        let address = |last: u8| IpAddr::from([192, 0, 2, last]);
        let peers = peers(2, 6);
        let mut first = vec![peers.admit(address(1)).unwrap(), peers.admit(address(1)).unwrap()];
        assert!(!first.iter().any(Guest::is_crowded));
        assert!(peers.admit(address(1)).is_none(), "its third");
        assert!(first.iter().all(Guest::is_crowded), "an idle one may make room");
        let other = peers.admit(address(2)).unwrap();
        assert!(!other.is_crowded());
        assert!(peers.admit(address(3)).is_none(), "half of all places are taken");
        assert!(other.is_crowded());
        first.pop();
        assert!(!other.is_crowded() && !first.iter().any(Guest::is_crowded));
        let third = peers.admit(address(3)).unwrap();
        drop((first, other, third));
        let open = peers.open();
        assert_eq!((open.together, open.each.len()), (0, 0), "nothing is kept of closed connections");
    }
}
