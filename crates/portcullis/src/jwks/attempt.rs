//! One attempt to get a key set, in a task of its own.
//!
//! Requests that are dropped cancel nothing. The end of an attempt is recorded and wakes all waiting requests, however it
//! ends, even by a panic of the client or with its runtime.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::HeaderValue;
use tokio::{sync::watch, time::timeout};
use url::Url;

use super::{
    decision::Backoff,
    discovery,
    endpoint::{Discovered, Endpoint, Place},
    fetch::{FetchError, Fetched},
    freshness::Freshness,
    refresher::{Control, Refresher},
    snapshot::Snapshot,
};
use crate::{
    epoch,
    keys::{JwkSet, KeyProblem, KeySet},
    telemetry::{self, JwksOutcome},
    transport::with_causes,
};

/// The time limit for the cache, which is there to save time.
const CACHE_TIMEOUT: Duration = Duration::from_secs(1);

/// The end of an attempt, for the waiting requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// A set was loaded from the cache, and the endpoint was not asked.
    Loaded,
    /// The endpoint was asked.
    Asked,
}

pub(super) struct Attempt {
    refresher: Arc<Refresher>,
    /// Dropped last, so that waiting requests see the outcome.
    ended: watch::Sender<Ended>,
    recorded: bool,
}

/// The result of an attempt.
enum Obtained {
    FromCache(Snapshot),
    Changed { document: Arc<JwkSet>, keys: Arc<KeySet>, etag: Option<(Url, HeaderValue)>, max_age: Duration },
    Unchanged { max_age: Duration },
}

impl Attempt {
    pub(super) fn new(refresher: Arc<Refresher>, ended: watch::Sender<Ended>) -> Self {
        Self { refresher, ended, recorded: false }
    }

    pub(super) async fn run(mut self, read_cache: bool) {
        let refresher = Arc::clone(&self.refresher);
        let limit = refresher.settings.timeout;
        let outcome = timeout(limit, refresher.obtain(read_cache)).await;
        let kept = self.record(outcome.unwrap_or(Err(FetchError::Timeout(limit))));
        drop(self);
        if let Some(document) = kept {
            refresher.write_cache(document).await;
        }
    }

    /// Records and reports the outcome; returns the document to be cached.
    fn record(&mut self, outcome: Result<Obtained, FetchError>) -> Option<JwkSet> {
        self.recorded = true;
        if matches!(outcome, Ok(Obtained::FromCache(_))) {
            self.ended.send_replace(Ended::Loaded);
        }
        self.refresher.record(outcome)
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if !self.recorded {
            self.record(Err(FetchError::Interrupted));
        }
    }
}

impl Refresher {
    async fn obtain(&self, read_cache: bool) -> Result<Obtained, FetchError> {
        if read_cache && let Some(snapshot) = self.read_cache().await {
            return Ok(Obtained::FromCache(snapshot));
        }
        let place = self.place().await?;
        // At another URL the same tag may be that of another set (RFC 9110 section 8.8.3).
        let etag = self.snapshot.load().as_ref().and_then(|snapshot| snapshot.etag.clone());
        let etag = etag.filter(|(url, _)| *url == place.url).map(|(_, etag)| etag);
        let Fetched { document, etag, max_age } =
            self.settings.server.key_set(&place, etag.as_ref(), self.settings.max_age).await?;
        let (limit, actual) = (self.settings.max_keys, document.as_ref().map_or(0, |document| document.keys().len()));
        if actual > limit {
            return Err(FetchError::TooManyKeys { limit, actual });
        }
        Ok(match document {
            Some(document) => {
                let (keys, etag) = (self.import(&document), etag.map(|etag| (place.url, etag)));
                Obtained::Changed { keys, document: Arc::new(document), etag, max_age }
            }
            None => Obtained::Unchanged { max_age },
        })
    }

    /// The place to fetch the keys from.
    async fn place(&self) -> Result<Place, FetchError> {
        let issuer = match &self.settings.endpoint {
            Endpoint::Fixed(url) => return Ok(Place::configured(url.clone())),
            Endpoint::Discovered(issuer) => issuer,
        };
        let now = self.settings.clock.now();
        if let Some(known) = self.lock().discovered.as_mut().filter(|known| known.is_current(now)) {
            known.relied_on = true;
            return Ok(known.keys.clone());
        }
        let (keys, described) =
            discovery::keys(&self.settings.server, issuer, self.settings.transport, self.settings.timeout / 2).await?;
        let mut control = self.lock();
        control.discovered = Some(Discovered { keys: keys.clone(), at: now, relied_on: false });
        control.described = Some(described);
        Ok(keys)
    }

    /// The cached set, if it is still usable.
    async fn read_cache(&self) -> Option<Snapshot> {
        let read = timeout(CACHE_TIMEOUT, self.settings.cache.get()).await;
        let document = read.unwrap_or_else(|_| Err("no answer in time".into()));
        let document = document.inspect_err(|error| {
            telemetry::jwks_cache_failed(&self.source, "get", &with_causes(error));
        });
        let document = document.ok()??;
        let keys = self.import(&document);
        let now = self.settings.clock.now();
        let freshness = match document.fetched_at() {
            Some(fetched_at) => self.freshness(fetched_at.min(now), self.settings.max_age),
            // A set of unknown age is usable for now, and due at once.
            None => self.freshness(now, Duration::ZERO),
        };
        let document = Arc::new(document);
        (!keys.is_empty() && freshness.is_usable(now)).then(|| Snapshot { keys, document, freshness, etag: None })
    }

    async fn write_cache(&self, document: JwkSet) {
        let written = timeout(CACHE_TIMEOUT, self.settings.cache.set(document)).await;
        if let Err(error) = written.unwrap_or_else(|_| Err("no answer in time".into())) {
            telemetry::jwks_cache_failed(&self.source, "set", &with_causes(&error));
        }
    }

    /// The keys of a document; those at hand if it is the same, so that cached tokens stay valid.
    fn import(&self, document: &JwkSet) -> Arc<KeySet> {
        let at_hand = self.snapshot.load();
        if let Some(same) = at_hand.as_ref().filter(|snapshot| snapshot.document.keys() == document.keys()) {
            return Arc::clone(&same.keys);
        }
        let keys = KeySet::import(document, &self.settings.import);
        for key in keys.skipped() {
            let problem = key.problem.to_string();
            match key.problem {
                KeyProblem::NotForVerifying => telemetry::key_left_out(&self.source, key.kid.as_deref(), &problem),
                _ => telemetry::key_skipped(&self.source, key.kid.as_deref(), &problem),
            }
        }
        for key in keys.warnings() {
            telemetry::key_is_odd(&self.source, key.kid.as_deref(), &key.oddity.to_string());
        }
        Arc::new(keys)
    }

    fn freshness(&self, fetched_at: SystemTime, max_age: Duration) -> Freshness {
        Freshness::new(fetched_at, max_age, self.settings.max_stale, fastrand::f64())
    }

    /// Records the outcome under one lock: the snapshot first, then the state that depends on it.
    fn record(&self, outcome: Result<Obtained, FetchError>) -> Option<JwkSet> {
        let mut control = self.lock();
        let now = self.settings.clock.now();
        control.state.fetching = false;
        control.fetch = None;
        let (name, kept) = match outcome {
            Ok(Obtained::Changed { document, keys, .. }) if keys.is_empty() => {
                let kept = JwkSet::clone(&document).with_fetched_at(now);
                self.withdraw_all(&mut control, now, keys, document);
                // Another process must not find the withdrawn keys.
                ("failed", Some(kept))
            }
            Ok(Obtained::Changed { document, keys, etag, max_age }) => {
                let freshness = self.freshness(now, max_age);
                let kept = JwkSet::clone(&document).with_fetched_at(now);
                self.install(&mut control, Snapshot { keys, document, freshness, etag });
                ("fetched", Some(kept))
            }
            Ok(Obtained::Unchanged { max_age }) => {
                let kept = self.renew(&mut control, self.freshness(now, max_age));
                ("not_modified", kept.map(|document| JwkSet::clone(&document).with_fetched_at(now)))
            }
            Ok(Obtained::FromCache(snapshot)) => {
                self.install(&mut control, snapshot);
                ("from_cache", None)
            }
            Err(error) => {
                control.fail(now, error);
                ("failed", None)
            }
        };
        // The name of a tenant on trial is only a claim of a token, and does not belong into a log.
        let error = control.last_error.as_ref().map(|error| match self.is_on_trial() {
            true => error.without_names().to_owned(),
            false => error.to_string(),
        });
        // A subscriber of the log may ask for the status, which takes the lock.
        drop(control);
        self.report(name, error.as_deref());
        kept
    }

    fn install(&self, control: &mut Control, snapshot: Snapshot) {
        control.succeed(snapshot.freshness);
        self.swap(control, snapshot);
    }

    fn swap(&self, control: &mut Control, snapshot: Snapshot) {
        let now = self.settings.clock.now();
        let snapshot = Arc::new(snapshot);
        if let Some(before) = self.snapshot.swap(Some(Arc::clone(&snapshot))) {
            control.withdrawn.note(&before.keys, &snapshot.keys, now);
            if before.keys.id() != snapshot.keys.id() {
                epoch::begin();
            }
        }
    }

    /// Renews the age of an unchanged set, and returns the set.
    fn renew(&self, control: &mut Control, freshness: Freshness) -> Option<Arc<JwkSet>> {
        let snapshot = self.snapshot.load_full()?;
        self.install(control, Snapshot { freshness, ..Snapshot::clone(&snapshot) });
        Some(Arc::clone(&snapshot.document))
    }

    /// Withdraws all keys, since the issuer publishes no usable key any more.
    fn withdraw_all(&self, control: &mut Control, now: SystemTime, keys: Arc<KeySet>, document: Arc<JwkSet>) {
        let skipped = keys.skipped().len();
        let freshness = self.freshness(now, Duration::ZERO);
        self.swap(control, Snapshot { keys, document, freshness, etag: None });
        control.state.keys = None;
        control.fail(now, FetchError::NoUsableKeys { skipped });
    }

    fn report(&self, outcome: &'static str, error: Option<&str>) {
        let snapshot = self.snapshot.load();
        telemetry::jwks_attempt_ended(&JwksOutcome {
            source: &self.source,
            outcome,
            error,
            keys: snapshot.as_ref().map_or(0, |snapshot| snapshot.keys.len()),
            fetched_at: snapshot.as_ref().map(|snapshot| snapshot.freshness.fetched_at),
        });
    }
}

impl Control {
    fn succeed(&mut self, freshness: Freshness) {
        self.state.keys = Some(freshness);
        self.state.backoff = None;
        self.last_error = None;
    }

    /// Records a failure: the next attempt waits, and asks for the metadata again, unless this one did (both may be slow).
    fn fail(&mut self, now: SystemTime, error: FetchError) {
        self.state.backoff = Some(Backoff::after(self.state.backoff, now, fastrand::f64()));
        self.last_error = Some(error);
        self.discovered.take_if(|discovered| discovered.relied_on);
    }
}
