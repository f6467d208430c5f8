//! The limit on connections.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use metrics::{Counter, Gauge};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::peers::Guest;
use crate::telemetry::{Seldom, names};

/// The places for connections. While none is free nothing is accepted: clients wait in the kernel's queue.
#[derive(Debug)]
pub(super) struct Slots {
    free: Arc<Semaphore>,
    crowded: AtomicBool,
    open: Gauge,
    full: Counter,
    told: Seldom,
}

/// The place of one connection; freed when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    _permit: OwnedSemaphorePermit,
    guest: Option<Guest>,
    open: Gauge,
}

impl Slots {
    pub(super) fn new(connections: usize, listener: &str) -> Self {
        let listener = listener.to_owned();
        Self {
            free: Arc::new(Semaphore::new(connections.clamp(1, Semaphore::MAX_PERMITS))),
            crowded: AtomicBool::new(false),
            open: metrics::gauge!(names::CONNECTIONS.name, "listener" => listener.clone()),
            full: metrics::counter!(names::CONNECTIONS_FULL.name, "listener" => listener),
            told: Seldom::default(),
        }
    }

    /// Waits for a place.
    pub(super) async fn permit(&self, listener: &str) -> OwnedSemaphorePermit {
        let permit = match Arc::clone(&self.free).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => self.wait(listener).await,
        };
        self.crowded.store(false, Relaxed);
        permit
    }

    async fn wait(&self, listener: &str) -> OwnedSemaphorePermit {
        if !self.crowded.swap(true, Relaxed) {
            self.full.increment(1);
            if self.told.is_due() {
                tracing::warn!(listener, "all connections are taken (limits.connections): new ones wait");
            }
        }
        match Arc::clone(&self.free).acquire_owned().await {
            Ok(permit) => permit,
            // The semaphore is never closed.
            Err(_) => pending().await,
        }
    }

    /// Gives a place to an accepted connection; with a guest, if the peer is not trusted.
    pub(super) fn fill(&self, permit: OwnedSemaphorePermit, guest: Option<Guest>) -> Slot {
        self.open.increment(1.0);
        Slot { _permit: permit, guest, open: self.open.clone() }
    }

    /// Returns true if a connection waits for a place.
    pub(super) fn are_crowded(&self) -> bool {
        self.crowded.load(Relaxed)
    }
}

impl Slot {
    /// Returns true if this connection should make room for another of its peer.
    pub(super) fn is_crowded(&self) -> bool {
        self.guest.as_ref().is_some_and(Guest::is_crowded)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.open.decrement(1.0);
    }
}
