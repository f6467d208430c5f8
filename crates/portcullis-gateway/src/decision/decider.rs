//! What the doors ask: the configuration in force decides, and each decision is counted and logged.

use std::{sync::Arc, time::Instant};

use arc_swap::ArcSwap;

use super::{Decision, Fault, Gateway, Original, line};
use crate::telemetry::{CacheLookups, Decisions};

/// How a request was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    ForwardAuth,
    ExtAuthz,
}

impl Door {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ForwardAuth => "forward_auth",
            Self::ExtAuthz => "ext_authz",
        }
    }
}

/// Decides for one door by the configuration in force; a reload puts another in its place.
#[derive(Clone)]
pub(crate) struct Decider {
    door: Door,
    current: Arc<ArcSwap<Gateway>>,
    lookups: CacheLookups,
}

impl Decider {
    pub(crate) fn new(door: Door, current: Arc<ArcSwap<Gateway>>) -> Self {
        Self { door, current, lookups: CacheLookups::new() }
    }

    /// The configuration in force.
    pub(crate) fn gateway(&self) -> arc_swap::Guard<Arc<Gateway>> {
        self.current.load()
    }

    /// The decision, if nothing has to be waited for.
    pub(crate) fn decide_now(&self, original: &Original<'_>) -> Option<Decision> {
        let started = Instant::now();
        let gateway = self.current.load();
        let decision = gateway.decide_now(original, |known| self.lookups.count(known))?;
        Some(self.tell(&gateway, original, decision, started))
    }

    /// The decision, after keys were fetched or a token was introspected.
    pub(crate) async fn decide(&self, original: &Original<'_>) -> Decision {
        let started = Instant::now();
        let gateway = self.current.load_full();
        let decision = gateway.decide(original).await;
        self.tell(&gateway, original, decision, started)
    }

    /// The refusal of a request that was not described as it has to be.
    pub(crate) fn refuse(&self, fault: Fault, original: &Original<'_>) -> Decision {
        let gateway = self.current.load();
        self.tell(&gateway, original, gateway.faulty(fault), Instant::now())
    }

    fn tell(&self, gateway: &Gateway, original: &Original<'_>, decision: Decision, started: Instant) -> Decision {
        let counts = gateway.counts(self.door);
        match &decision.outcome {
            Ok(_) => counts.passed(decision.route, started),
            Err(refused) => counts.refused(decision.route, refused.code, started),
        }
        line::write(self.door, gateway, original, &decision);
        decision
    }
}

/// The counts of each door, for the routes of one configuration.
pub(super) struct Counts {
    forward_auth: Decisions,
    ext_authz: Decisions,
}

impl Counts {
    pub(super) fn new(routes: &[String]) -> Self {
        let of = |door: Door| Decisions::new(door.name(), routes);
        Self { forward_auth: of(Door::ForwardAuth), ext_authz: of(Door::ExtAuthz) }
    }

    pub(super) fn of(&self, door: Door) -> &Decisions {
        match door {
            Door::ForwardAuth => &self.forward_auth,
            Door::ExtAuthz => &self.ext_authz,
        }
    }
}
