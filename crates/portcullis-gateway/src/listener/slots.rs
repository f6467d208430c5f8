//! How many connections there may be.

use std::{
    future::pending,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use metrics::{Counter, Gauge};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long not to say again that all are taken.
const LOG_PAUSE: Duration = Duration::from_secs(10);

/// Places for connections. While none is free nothing is accepted: clients wait in the kernel's queue.
#[derive(Debug)]
pub(super) struct Slots {
    free: Arc<Semaphore>,
    crowded: AtomicBool,
    open: Gauge,
    full: Counter,
    logged: Mutex<Option<Instant>>,
}

/// The place of one connection; free again when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    _permit: OwnedSemaphorePermit,
    open: Gauge,
}

impl Slots {
    pub(super) fn new(connections: usize, listener: &str) -> Self {
        let listener = listener.to_owned();
        Self {
            free: Arc::new(Semaphore::new(connections.clamp(1, Semaphore::MAX_PERMITS))),
            crowded: AtomicBool::new(false),
            open: metrics::gauge!("portcullis_gateway_connections", "listener" => listener.clone()),
            full: metrics::counter!("portcullis_gateway_connections_full_total", "listener" => listener),
            logged: Mutex::new(None),
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
            self.log(listener);
        }
        match Arc::clone(&self.free).acquire_owned().await {
            Ok(permit) => permit,
            // Nobody closes it.
            Err(_) => pending().await,
        }
    }

    /// Says so in the log, once in a while.
    fn log(&self, listener: &str) {
        let now = Instant::now();
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.is_none_or(|last| now.duration_since(last) >= LOG_PAUSE) {
            *logged = Some(now);
            tracing::warn!(listener, "all connections are taken: new ones wait");
        }
    }

    /// Gives a place to a connection that was accepted.
    pub(super) fn fill(&self, permit: OwnedSemaphorePermit) -> Slot {
        self.open.increment(1.0);
        Slot { _permit: permit, open: self.open.clone() }
    }

    /// Whether somebody waits for a place.
    pub(super) fn are_crowded(&self) -> bool {
        self.crowded.load(Relaxed)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.open.decrement(1.0);
    }
}
