//! The proofs that several processes share: the [`ReplayStore`] trait, and the pause after a failure.

use std::{
    error::Error,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::time::Instant;

use super::{ReplayFault, Sighting};
use crate::{
    shared_store::{self, CLOCKS_APART, TIME_LIMIT, Warnings, in_time},
    telemetry,
    transport::{BoxError, BoxFuture},
};

/// The time for which a store that failed is left out.
const PAUSE: Duration = Duration::from_secs(1);

/// A store that several processes share, so that a DPoP proof that one has seen is a replay at all others (RFC 9449
/// section 11.1).
///
/// An identifier is the SHA-256 of the client's key, the method, the URL and the proof's `jti`: read access to the store shows
/// none of them. With write access to it one can have good proofs refused, or remove an entry so that another process
/// accepts the proof again; the process that has seen it never does.
///
/// A store that fails, panics or takes longer than 250 ms is left out for a second; [`ReplayStoreAway`] says what holds meanwhile.
///
/// # Example
///
/// ```
/// use std::{collections::HashMap, sync::Mutex, time::{Duration, Instant}};
/// use portcullis::ReplayStore;
///
/// /// In Redis this is `SET id "" NX PX ttl`.
/// #[derive(Default)]
/// struct Shared(Mutex<HashMap<String, Instant>>);
///
/// impl ReplayStore for Shared {
///     async fn keep_new(&self, id: &str, ttl: Duration) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
///         let mut kept = self.0.lock().map_err(|_| "poisoned")?;
///         kept.retain(|_, until| Instant::now() < *until);
///         Ok(kept.insert(id.to_owned(), Instant::now() + ttl).is_none())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let store = Shared::default();
/// assert!(store.keep_new("id", Duration::from_secs(60)).await.unwrap());
/// assert!(!store.keep_new("id", Duration::from_secs(60)).await.unwrap());
/// # }
/// ```
pub trait ReplayStore: Send + Sync + 'static {
    /// Keeps this identifier for this time if it is not kept already, in one atomic operation. Returns true if it is new.
    ///
    /// An identifier has 64 characters of lower-case hex.
    ///
    /// # Errors
    ///
    /// Any error of the store.
    fn keep_new(
        &self,
        id: &str,
        ttl: Duration,
    ) -> impl Future<Output = Result<bool, Box<dyn Error + Send + Sync>>> + Send;
}

/// The judgement on DPoP proofs while the shared [`ReplayStore`] is away.
///
/// # Example
///
/// ```
/// use portcullis::ReplayStoreAway;
///
/// assert_eq!(ReplayStoreAway::default(), ReplayStoreAway::JudgeLocally);
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplayStoreAway {
    /// Each process judges by its own memory: a proof passes at most once at each of them.
    #[default]
    JudgeLocally,
    /// Requests with a proof are refused with 503: a proof passes once at all of them, or not at all.
    Refuse,
}

/// [`ReplayStore`] behind a pointer.
pub(crate) trait AnyReplayStore: Send + Sync {
    fn keep_new<'a>(&'a self, id: &'a str, ttl: Duration) -> BoxFuture<'a, Result<bool, BoxError>>;
}

impl<S: ReplayStore> AnyReplayStore for S {
    fn keep_new<'a>(&'a self, id: &'a str, ttl: Duration) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(ReplayStore::keep_new(self, id, ttl))
    }
}

/// The shared store, and its state.
pub(super) struct Shared {
    store: Arc<dyn AnyReplayStore>,
    away: ReplayStoreAway,
    /// The time until which the store is left out; none while it answers.
    left_out: Mutex<Option<Instant>>,
    warnings: Warnings,
}

impl Shared {
    pub(super) fn new(store: Arc<dyn AnyReplayStore>, away: ReplayStoreAway) -> Self {
        Self { store, away, left_out: Mutex::default(), warnings: Warnings::default() }
    }

    /// Admits a question to the store. After a pause it admits one, and the others as soon as that is answered.
    ///
    /// # Errors
    ///
    /// The rest of the pause.
    pub(super) fn admit(&self) -> Result<(), Duration> {
        let (mut left_out, now) = (self.left_out.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        match *left_out {
            Some(until) if now < until => Err(until - now),
            Some(_) => {
                // If the question is dropped, the next one is admitted after that time.
                *left_out = Some(now + TIME_LIMIT);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Asks whether other processes have seen a proof that is new here.
    pub(super) async fn ask(&self, id: String, ttl: Duration, now: SystemTime) -> Result<(), ReplayFault> {
        let kept = in_time(|| self.store.keep_new(&id, ttl)).await;
        self.leave_out(kept.is_err().then_some(PAUSE));
        match kept {
            Ok(true) => {
                telemetry::proof_is_first();
                Ok(())
            }
            Ok(false) => {
                telemetry::proof_is("replayed_elsewhere");
                Err(ReplayFault::Replayed)
            }
            Err(error) => {
                telemetry::replay_store_failed(&error, self.warnings.is_due(now));
                self.judge_without(PAUSE)
            }
        }
    }

    /// Judges a proof that is new here while the store is left out for this time.
    pub(super) fn judge_without(&self, retry_after: Duration) -> Result<(), ReplayFault> {
        match self.away {
            ReplayStoreAway::JudgeLocally => {
                telemetry::proof_is("first_here");
                Ok(())
            }
            ReplayStoreAway::Refuse => {
                telemetry::proof_is("unknown");
                Err(ReplayFault::StoreAway { retry_after })
            }
        }
    }

    fn leave_out(&self, pause: Option<Duration>) {
        *self.left_out.lock().unwrap_or_else(PoisonError::into_inner) = pause.map(|pause| Instant::now() + pause);
    }
}

/// The name of a proof in the store, and its time to live there.
pub(super) fn entry(proof: &Sighting<'_>, now: SystemTime) -> (String, Duration) {
    // Another process whose clock is slow accepts the proof for longer.
    let ttl = proof.time.until.duration_since(now).unwrap_or_default() + CLOCKS_APART;
    (shared_store::name(proof.id), ttl)
}
