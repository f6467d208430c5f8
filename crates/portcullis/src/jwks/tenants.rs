//! The key services of an issuer's tenants, each made when a token names its tenant: [`Tenants`].
//!
//! - A tenant is on trial until a token of its own is accepted; then it is kept. So forged tokens displace no tenant that is in use.
//! - A few tenants are on trial at a time. Each new one draws on a bucket, and gives it back when it is kept: only those that never
//!   prove themselves use the bucket up. A tenant of a list is kept at once.
//! - Of more tenants than the limit, the one that was not used for longest leaves (second chance); so does one without a token for
//!   a day. Its keys are gone with it, so that cached tokens do not outlive them.
//! - Kept tenants are found without a lock.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use papaya::HashMap;

use super::{
    bucket::Bucket,
    endpoint::{Endpoint, Issuer},
    refresher::{Refresher, Settings},
    status::JwksStatus,
};
use crate::{
    clock::Clock,
    issuer_template::IssuerTemplate,
    refusal::{Refusal, TokenFault, UnavailableFault, Unverified},
};

/// The number of tenants on trial.
const ON_TRIAL: usize = 16;

/// A tenant without a token for so long leaves.
const IDLE: Duration = Duration::from_secs(24 * 60 * 60);

/// The key services of the tenants of an issuer.
pub(super) struct Tenants {
    /// The issuer, with a placeholder for the tenant.
    template: String,
    /// The settings of each service, but for the endpoint.
    settings: Settings,
    most: usize,
    kept: HashMap<Box<str>, Arc<Refresher>>,
    control: Mutex<Control>,
}

struct Control {
    bucket: Bucket,
    /// The oldest first.
    on_trial: VecDeque<(Box<str>, Arc<Refresher>)>,
    /// The kept tenants in the order in which they may have to leave.
    queue: VecDeque<Box<str>>,
    /// The time of the last look for tenants that are not used.
    looked_at: SystemTime,
}

impl Tenants {
    pub(super) fn new(template: String, settings: Settings, most: usize) -> Self {
        let now = settings.clock.now();
        let control =
            Control { bucket: Bucket::full(now), on_trial: VecDeque::new(), queue: VecDeque::new(), looked_at: now };
        Self { template, settings, most, kept: HashMap::new(), control: Mutex::new(control) }
    }

    pub(super) fn template(&self) -> &str {
        &self.template
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.settings.clock
    }

    /// The key service of a tenant that is kept.
    pub(super) fn kept(&self, issuer: &str) -> Option<Arc<Refresher>> {
        self.kept.pin().get(issuer).cloned()
    }

    /// The key service of a tenant by its issuer, made if need be; a listed tenant is kept at once.
    ///
    /// A new one fetches nothing yet.
    pub(super) fn service(&self, issuer: &str, is_listed: bool) -> Result<Arc<Refresher>, Refusal> {
        if let Some(kept) = self.kept(issuer) {
            return Ok(kept);
        }
        let mut control = self.lock();
        // Another request may have come first.
        if let Some(kept) = self.kept(issuer) {
            return Ok(kept);
        }
        if let Some((_, known)) = control.on_trial.iter().find(|(known, _)| **known == *issuer) {
            return Ok(Arc::clone(known));
        }
        let now = self.settings.clock.now();
        if is_listed {
            let service = self.new_service(issuer)?;
            service.acquit();
            self.admit(&mut control, issuer, &service);
            return Ok(service);
        }
        if !control.bucket.has_one(now) {
            let retry_after = control.bucket.next_in(now);
            return Err(Refusal::Unavailable(UnavailableFault::TenantFetches { retry_after }));
        }
        let service = self.new_service(issuer)?;
        control.bucket.take(now);
        control.on_trial.push_back((issuer.into(), Arc::clone(&service)));
        if control.on_trial.len() > ON_TRIAL {
            control.on_trial.pop_front();
        }
        Ok(service)
    }

    /// Keeps a tenant of which a token was accepted; tells whether it is the one in service.
    pub(super) fn keep(&self, service: &Arc<Refresher>) -> bool {
        let Endpoint::Discovered(Issuer { identifier, .. }) = &service.settings.endpoint else { return false };
        if let Some(kept) = self.kept(identifier) {
            return Arc::ptr_eq(&kept, service);
        }
        let mut control = self.lock();
        if let Some(kept) = self.kept(identifier) {
            return Arc::ptr_eq(&kept, service);
        }
        let before = control.on_trial.len();
        control.on_trial.retain(|(tenant, _)| **tenant != **identifier);
        if control.on_trial.len() < before {
            control.bucket.give_back(self.settings.clock.now());
        }
        service.acquit();
        self.admit(&mut control, identifier, service);
        true
    }

    /// Fetches the keys of all kept tenants, one after the other.
    pub(super) async fn refresh(&self) -> Result<(), super::fetch::FetchError> {
        let kept: Vec<_> = self.kept.pin().values().cloned().collect();
        let mut outcome = Ok(());
        for service in kept {
            outcome = outcome.and(service.refresh().await);
        }
        outcome
    }

    /// The state of all kept tenants together.
    pub(super) fn status(&self) -> JwksStatus {
        let each: Vec<_> = self.kept.pin().values().map(|service| service.status()).collect();
        let failing = || each.iter().filter(|status| status.failures > 0);
        JwksStatus {
            source: Some(self.template.clone()),
            tenants: Some(each.len()),
            failures: failing().map(|status| status.failures).max().unwrap_or_default(),
            last_error: failing().find_map(|status| status.last_error.clone()),
            ..JwksStatus::default()
        }
    }

    fn new_service(&self, issuer: &str) -> Result<Arc<Refresher>, Refusal> {
        // Whoever calls: no server is asked but that of the template.
        let is_of_template = IssuerTemplate::of(&self.template).is_some_and(|all| all.tenant(issuer).is_some());
        let url = self.settings.transport.url(issuer).ok().filter(|_| is_of_template);
        let url = url.ok_or_else(|| {
            let expected = Arc::from([self.template.clone()]);
            Refusal::Token(TokenFault::Issuer { expected, actual: Unverified::new(issuer) })
        })?;
        let endpoint = Endpoint::Discovered(Issuer { identifier: issuer.to_owned(), url });
        Ok(Refresher::on_trial(self.settings.at(endpoint), self.template.clone()))
    }

    /// Adds a tenant, and takes out those that have to leave.
    fn admit(&self, control: &mut Control, issuer: &str, service: &Arc<Refresher>) {
        let kept = self.kept.pin();
        kept.insert(issuer.into(), Arc::clone(service));
        control.queue.push_back(issuer.into());
        self.look_for_idle(control);
        let mut chances = control.queue.len();
        while control.queue.len() > self.most.max(1) {
            let Some(next) = control.queue.pop_front() else { return };
            let is_in_use = kept.get(&next).is_some_and(|service| service.was_used());
            if is_in_use && chances > 0 {
                chances -= 1;
                control.queue.push_back(next);
            } else {
                self.remove(&next);
            }
        }
    }

    /// Takes out, once a day, the tenants without a token since the last time.
    fn look_for_idle(&self, control: &mut Control) {
        let now = self.settings.clock.now();
        if now.duration_since(control.looked_at).is_ok_and(|since| since < IDLE) {
            return;
        }
        control.looked_at = now;
        let kept = self.kept.pin();
        control.queue.retain(|tenant| {
            let is_in_use = kept.get(tenant).is_some_and(|service| service.was_used());
            if !is_in_use {
                self.remove(tenant);
            }
            is_in_use
        });
    }

    fn remove(&self, tenant: &str) {
        if let Some(service) = self.kept.pin().remove(tenant) {
            service.retire();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
