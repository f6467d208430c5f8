//! Carries out the decisions of `decision`, with one `attempt` at a time.
//!
//! The state is behind a mutex that is held for decisions only, never across an await.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwapOption;
use tokio::{runtime::Handle, sync::watch, task::AbortHandle};
use tracing::Instrument;

use super::{
    attempt::{Attempt, Ended},
    bucket::Bucket,
    cache::{AnyJwksCache, InMemoryCache},
    decision::{Decision, Event, State, Waited, decide},
    endpoint::{Described, Discovered, Endpoint},
    fetch::{FetchError, Server},
    metadata::IssuerMetadata,
    snapshot::Snapshot,
    sought::Sought,
    status::JwksStatus,
    withdrawn::Withdrawn,
};
use crate::{
    clock::Clock,
    epoch,
    keys::{Candidates, ImportRules, JwkSet, KeySetId, Miss},
    refusal::{ConfigurationFault, Refusal, UnavailableFault},
    telemetry,
    token::Header,
    transport::Transport,
};

/// The longest sleep of the schedule, which then looks at the clock again: it may have jumped.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// The shortest sleep of the schedule.
const SHORTEST_SLEEP: Duration = Duration::from_secs(1);

/// The settings from the builder.
pub(super) struct Settings {
    pub(super) endpoint: Endpoint,
    pub(super) transport: Transport,
    pub(super) cache: Arc<dyn AnyJwksCache>,
    pub(super) server: Server,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) timeout: Duration,
    pub(super) max_age: Duration,
    pub(super) max_stale: Duration,
    pub(super) import: ImportRules,
    pub(super) max_keys: usize,
}

impl Settings {
    /// The same settings for another endpoint; its keys are cached in memory, apart from those of others.
    pub(super) fn at(&self, endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            transport: self.transport,
            cache: Arc::new(InMemoryCache::default()),
            server: self.server.clone(),
            clock: Arc::clone(&self.clock),
            import: self.import.clone(),
            ..*self
        }
    }
}

/// Keeps the snapshot of one endpoint's keys up to date.
pub(super) struct Refresher {
    pub(super) settings: Settings,
    /// The endpoint, as logs and metrics name it.
    pub(super) source: String,
    pub(super) snapshot: ArcSwapOption<Snapshot>,
    /// True if only the name in a token speaks for the endpoint: it is asked for tokens alone, and not named in logs.
    on_trial: AtomicBool,
    /// True if the keys were looked at since the last call of `was_used`.
    used: AtomicBool,
    control: Mutex<Control>,
}

/// The state that decisions and attempts change.
pub(super) struct Control {
    pub(super) state: State,
    /// The attempt that is under way; the channel closes at its end.
    pub(super) fetch: Option<watch::Receiver<Ended>>,
    pub(super) last_error: Option<FetchError>,
    pub(super) discovered: Option<Discovered>,
    /// The metadata that were fetched last.
    pub(super) described: Option<Described>,
    pub(super) withdrawn: Withdrawn,
    sought: Sought,
    /// True if the cache was read already.
    cache_read: bool,
    schedule: Option<AbortHandle>,
}

/// The next step of a request.
enum Next {
    Go(Result<Candidates, Miss>),
    Wait(watch::Receiver<Ended>, Waited),
    Refuse(Refusal),
}

impl Refresher {
    pub(super) fn new(settings: Settings) -> Arc<Self> {
        let source = settings.endpoint.to_string();
        Arc::new(Self::named(settings, source))
    }

    /// The keys of an endpoint on trial, by a name that others share.
    pub(super) fn on_trial(settings: Settings, source: String) -> Arc<Self> {
        let mut refresher = Self::named(settings, source);
        refresher.on_trial = AtomicBool::new(true);
        refresher.lock().state.bucket = Bucket::empty(refresher.settings.clock.now());
        Arc::new(refresher)
    }

    fn named(settings: Settings, source: String) -> Self {
        let control = Control {
            state: State::new(settings.clock.now()),
            fetch: None,
            last_error: None,
            discovered: None,
            described: None,
            withdrawn: Withdrawn::default(),
            sought: Sought::default(),
            cache_read: false,
            schedule: None,
        };
        let (on_trial, used) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { settings, source, snapshot: ArcSwapOption::empty(), on_trial, used, control: Mutex::new(control) }
    }

    /// Ends the trial: the keys are kept fresh from now on.
    pub(super) fn acquit(self: &Arc<Self>) {
        if !self.on_trial.swap(false, Ordering::AcqRel) {
            return;
        }
        let mut control = self.lock();
        control.state.bucket = Bucket::full(self.settings.clock.now());
        if let (true, Ok(runtime)) = (control.state.keys.is_some(), Handle::try_current()) {
            self.schedule(&mut control, &runtime);
        }
    }

    /// Ends the service: its keys verify nothing any more.
    pub(super) fn retire(&self) {
        self.snapshot.store(None);
        epoch::begin();
        if let Some(schedule) = self.lock().schedule.take() {
            schedule.abort();
        }
    }

    pub(super) fn is_on_trial(&self) -> bool {
        self.on_trial.load(Ordering::Acquire)
    }

    /// Tells whether the keys were looked at since the last call.
    pub(super) fn was_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    fn mark_used(&self) {
        // Written once only, so that the cache line stays shared between cores.
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.settings.clock
    }

    /// Tells whether these are the keys in use; starts a due refresh.
    pub(super) fn still_uses(self: &Arc<Self>, keys: KeySetId, now: SystemTime) -> bool {
        self.mark_used();
        let snapshot = self.snapshot.load();
        let in_use = snapshot.as_ref().filter(|snapshot| snapshot.keys.id() == keys);
        let Some(snapshot) = in_use.filter(|snapshot| snapshot.freshness.is_usable(now)) else { return false };
        if !snapshot.freshness.is_fresh(now) {
            self.refresh_behind(now);
        }
        true
    }

    /// The time at which these keys, if they are in use, are due for a refresh.
    pub(super) fn fresh_until(&self, keys: KeySetId) -> Option<SystemTime> {
        let snapshot = self.snapshot.load();
        let in_use = snapshot.as_ref().filter(|snapshot| snapshot.keys.id() == keys)?;
        Some(in_use.freshness.refresh_at.min(in_use.freshness.stale_at))
    }

    /// The keys at hand for a token; none if only a fetch can tell. Starts a due refresh.
    pub(super) fn look_up(self: &Arc<Self>, header: &Header, now: SystemTime) -> Option<Result<Candidates, Miss>> {
        self.mark_used();
        let (found, is_fresh) = self.at_hand(header, now)?;
        if !is_fresh {
            self.refresh_behind(now);
        }
        Some(found)
    }

    /// The same without a refresh.
    pub(super) fn peek(&self, header: &Header) -> Option<Result<Candidates, Miss>> {
        self.at_hand(header, self.settings.clock.now()).map(|(found, _)| found)
    }

    /// The keys at hand for a token, and true if they are fresh; none if only a fetch can tell.
    fn at_hand(&self, header: &Header, now: SystemTime) -> Option<(Result<Candidates, Miss>, bool)> {
        let snapshot = self.snapshot.load();
        let snapshot = snapshot.as_ref().filter(|snapshot| snapshot.freshness.is_usable(now))?;
        let found = snapshot.keys.candidates(header);
        (!matches!(found, Err(Miss::Unknown))).then(|| (found, snapshot.freshness.is_fresh(now)))
    }

    /// The time since a key of this id was withdrawn, if that was recent.
    pub(super) fn withdrawn(&self, kid: &str) -> Option<Duration> {
        let at = self.lock().withdrawn.when(kid)?;
        Some(self.settings.clock.now().duration_since(at).unwrap_or_default())
    }

    /// The expected issuer, and the other one in the metadata that were fetched last.
    pub(super) fn other_issuer(&self) -> Option<(String, String)> {
        let control = self.lock();
        let (expected, actual) = control.last_error.as_ref()?.other_issuer()?;
        Some((expected.to_owned(), actual.to_owned()))
    }

    /// The metadata that led to the keys.
    pub(super) fn metadata(&self) -> Option<Arc<IssuerMetadata>> {
        self.lock().described.as_ref().map(|described| Arc::clone(&described.metadata))
    }

    /// Fetches the keys of a token that are not at hand, or waits for the fetch under way.
    pub(super) async fn fetch_for(self: &Arc<Self>, header: &Header) -> Result<Result<Candidates, Miss>, Refusal> {
        let mut waited = Waited::No;
        loop {
            match self.next(header, waited) {
                Next::Go(found) => return Ok(found),
                Next::Refuse(refusal) => return Err(refusal),
                Next::Wait(mut fetch, when_asked) => {
                    if wait_for(&mut fetch).await == Ended::Asked {
                        waited = when_asked;
                    }
                }
            }
        }
    }

    /// Fetches the keys now, or joins the fetch that is under way.
    pub(super) async fn refresh(self: &Arc<Self>) -> Result<(), FetchError> {
        loop {
            let mut fetch = self.demand().ok_or(FetchError::NoRuntime)?;
            if wait_for(&mut fetch).await == Ended::Asked {
                return self.lock().last_error.clone().map_or(Ok(()), Err);
            }
        }
    }

    fn demand(self: &Arc<Self>) -> Option<watch::Receiver<Ended>> {
        let mut control = self.lock();
        match decide(self.settings.clock.now(), &control.state, Event::Demand) {
            Decision::Join => control.fetch.clone(),
            _ => self.start_fetch(&mut control),
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        let now = self.settings.clock.now();
        self.snapshot
            .load()
            .as_ref()
            .is_some_and(|snapshot| !snapshot.keys.is_empty() && snapshot.freshness.is_usable(now))
    }

    pub(super) fn document(&self) -> Option<JwkSet> {
        let snapshot = self.snapshot.load();
        let snapshot = snapshot.as_ref()?;
        Some(JwkSet::clone(&snapshot.document).with_fetched_at(snapshot.freshness.fetched_at))
    }

    pub(super) fn status(&self) -> JwksStatus {
        let now = self.settings.clock.now();
        let snapshot = self.snapshot.load();
        let keys = snapshot.as_ref().map(|snapshot| &snapshot.keys);
        let control = self.lock();
        JwksStatus {
            source: Some(self.source.clone()),
            tenants: None,
            keys: keys.map(|keys| keys.kids().map(|kid| kid.map(str::to_owned)).collect()).unwrap_or_default(),
            skipped: keys.map(|keys| keys.skipped().to_vec()).unwrap_or_default(),
            warnings: keys.map(|keys| keys.warnings().to_vec()).unwrap_or_default(),
            age: snapshot
                .as_ref()
                .map(|snapshot| now.duration_since(snapshot.freshness.fetched_at).unwrap_or_default()),
            next_refresh: Some(control.state.idle_for(now)),
            failures: control.state.backoff.map_or(0, |backoff| backoff.failures),
            last_error: control.last_error.as_ref().map(ToString::to_string),
        }
    }

    fn next(self: &Arc<Self>, header: &Header, waited: Waited) -> Next {
        let mut control = self.lock();
        let now = self.settings.clock.now();
        // Read under the lock: a fetch that ends meanwhile is seen either in the snapshot or as under way.
        let found =
            self.snapshot.load().as_ref().map_or(Err(Miss::Unknown), |snapshot| snapshot.keys.candidates(header));
        let known = !matches!(found, Err(Miss::Unknown));
        let missing = !known && control.is_missing(header, now);
        match decide(now, &control.state, Event::Lookup { known, missing, waited }) {
            Decision::Use => Next::Go(found),
            Decision::RefuseUnknown => {
                if waited == Waited::ForANewFetch {
                    control.sought.note(header, now);
                }
                Next::Go(Err(Miss::Unknown))
            }
            Decision::RefuseUnavailable { retry_after } => {
                Next::Refuse(Refusal::Unavailable(UnavailableFault::Keys { retry_after }))
            }
            Decision::RefuseUntold { retry_after } => {
                Next::Refuse(Refusal::Unavailable(UnavailableFault::KeyFetches { retry_after }))
            }
            Decision::RefreshBehind => {
                self.start_fetch(&mut control);
                Next::Go(found)
            }
            Decision::Join => match control.fetch.clone() {
                Some(fetch) if waited == Waited::No => Next::Wait(fetch, Waited::ForAnOlderFetch),
                Some(fetch) => Next::Wait(fetch, Waited::ForANewFetch),
                None => no_runtime(),
            },
            Decision::Fetch { charged } => match self.start_fetch(&mut control) {
                Some(fetch) => {
                    if charged {
                        control.state.bucket.take(now);
                    }
                    Next::Wait(fetch, Waited::ForANewFetch)
                }
                None => no_runtime(),
            },
        }
    }

    /// Starts a refresh if one is due; if the lock is taken, another request does.
    fn refresh_behind(self: &Arc<Self>, now: SystemTime) {
        let mut control = match self.control.try_lock() {
            Ok(control) => control,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        self.tick(&mut control, now);
    }

    fn tick(self: &Arc<Self>, control: &mut Control, now: SystemTime) {
        if decide(now, &control.state, Event::Tick) == Decision::RefreshBehind {
            self.start_fetch(control);
        }
    }

    /// Starts a fetch in a task of its own; none without a runtime.
    fn start_fetch(self: &Arc<Self>, control: &mut Control) -> Option<watch::Receiver<Ended>> {
        let runtime = Handle::try_current().ok()?;
        let (ended, fetch) = watch::channel(Ended::Asked);
        let read_cache = !std::mem::replace(&mut control.cache_read, true);
        control.state.fetching = true;
        control.fetch = Some(fetch.clone());
        let attempt = Attempt::new(Arc::clone(self), ended).run(read_cache);
        runtime.spawn(attempt.instrument(telemetry::fetching(&self.source)));
        if !self.is_on_trial() {
            self.schedule(control, &runtime);
        }
        Some(fetch)
    }

    /// Starts the task that keeps the keys fresh, unless it runs.
    fn schedule(self: &Arc<Self>, control: &mut Control, runtime: &Handle) {
        if control.schedule.as_ref().is_none_or(AbortHandle::is_finished) {
            control.schedule = Some(runtime.spawn(keep_fresh(Arc::downgrade(self))).abort_handle());
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Control {
    /// Tells whether the key is known to be missing.
    fn is_missing(&self, header: &Header, now: SystemTime) -> bool {
        let is_withdrawn = |kid: &str| self.withdrawn.when(kid).is_some();
        header.kid.as_deref().is_some_and(is_withdrawn) || self.sought.in_vain(header, now)
    }
}

impl Drop for Refresher {
    fn drop(&mut self) {
        if let Some(schedule) = &self.lock().schedule {
            schedule.abort();
        }
    }
}

fn no_runtime() -> Next {
    Next::Refuse(Refusal::Configuration(ConfigurationFault::NoRuntime))
}

async fn wait_for(fetch: &mut watch::Receiver<Ended>) -> Ended {
    // The sender is dropped at the end of the attempt, however it ends.
    while fetch.changed().await.is_ok() {}
    *fetch.borrow()
}

/// Refreshes on time, even without requests; ends with the refresher.
async fn keep_fresh(refresher: Weak<Refresher>) {
    loop {
        let idle = {
            let Some(refresher) = refresher.upgrade() else { return };
            let now = refresher.settings.clock.now();
            let mut control = refresher.lock();
            refresher.tick(&mut control, now);
            control.state.idle_for(now)
        };
        tokio::time::sleep(idle.clamp(SHORTEST_SLEEP, LONGEST_SLEEP)).await;
    }
}
