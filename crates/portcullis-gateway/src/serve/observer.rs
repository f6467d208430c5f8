//! The view of the current gateway for the admin listener.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use portcullis::{EndpointStatus, JwksStatus};
use serde_json::{Value, json};

use crate::{
    admin::{Observed, Readiness},
    config::without_secrets,
    decision::{Gateway, Served},
    listener::Drain,
    store::StoreState,
};

use super::reload::{OnDisk, Pending};

/// The view of the current gateway for the admin listener.
pub(super) struct Observer {
    current: Arc<ArcSwap<Gateway>>,
    draining: Drain,
    on_disk: OnDisk,
}

impl Observer {
    pub(super) fn new(current: Arc<ArcSwap<Gateway>>, draining: Drain, on_disk: OnDisk) -> Self {
        Self { current, draining, on_disk }
    }
}

impl Observed for Observer {
    fn readiness(&self) -> Readiness {
        let gateway = self.current.load();
        let without = gateway.issuers().each().iter().filter(|served| !served.is_ready());
        let issuers_without_keys = without.map(|served| without_secrets(&served.name)).collect();
        Readiness { draining: self.draining.has_begun(), issuers_without_keys }
    }

    fn status(&self) -> Value {
        let gateway = self.current.load();
        let issuers = gateway.issuers();
        let [(_, jwt), (_, opaque)] = issuers.caches();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "draining": self.draining.has_begun(),
            "configuration": configuration(&self.on_disk),
            "issuers": issuers.each().iter().map(issuer).collect::<Vec<_>>(),
            "routes": gateway.route_names().collect::<Vec<_>>(),
            "resources": gateway.all_metadata().map(|document| document.url().to_owned()).collect::<Vec<_>>(),
            "cache": { "jwt": cache(jwt), "opaque": cache(opaque) },
        })
    }

    fn refresh_gauges(&self) {
        self.current.load().refresh_gauges();
    }
}

/// Returns the state of a changed configuration: true if it waits to be confirmed, the parts that it lacks, and why it is refused.
fn configuration(on_disk: &OnDisk) -> Value {
    let (gone, refused) = match on_disk.load().as_deref() {
        Some(Pending::Waits(gone)) => (Some(gone.clone()), None),
        Some(Pending::Refused(reason)) => (None, Some(reason.clone())),
        None => (None, None),
    };
    json!({ "waits_for_confirmation": gone.is_some(), "gone": gone, "refused": refused })
}

fn issuer(served: &Served) -> Value {
    json!({
        "issuer": without_secrets(&served.name),
        "ready": served.is_ready(),
        "keys": keys(&served.jwks.status()),
        "store_up": served.store.as_ref().map(StoreState::is_up),
        "introspection": served.introspector.as_ref().map(|introspector| endpoint(&introspector.status())),
        "exchange": served.exchanger.as_ref().map(|exchanger| endpoint(&exchanger.status())),
    })
}

fn keys(status: &JwksStatus) -> Value {
    let skipped = status.skipped.iter().map(|key| json!({ "kid": key.kid, "problem": key.problem.to_string() }));
    let warnings = status.warnings.iter().map(|key| json!({ "kid": key.kid, "warning": key.oddity.to_string() }));
    json!({
        "source": status.source,
        "tenants": status.tenants,
        "kids": status.keys,
        "skipped": skipped.collect::<Vec<_>>(),
        "warnings": warnings.collect::<Vec<_>>(),
        "age_seconds": seconds(status.age),
        "next_refresh_seconds": seconds(status.next_refresh),
        "failures": status.failures,
        "last_error": status.last_error,
    })
}

fn endpoint(status: &EndpointStatus) -> Value {
    json!({
        "endpoint": status.endpoint,
        "failures": status.failures,
        "retry_after_seconds": seconds(status.retry_after),
        "last_error": status.last_error,
    })
}

fn cache((tokens, bytes): (usize, usize)) -> Value {
    json!({ "tokens": tokens, "bytes": bytes })
}

fn seconds(duration: Option<Duration>) -> Option<u64> {
    duration.map(|duration| duration.as_secs())
}
