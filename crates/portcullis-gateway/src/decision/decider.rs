//! What the doors ask: the configuration in force decides, and each decision is counted, logged and traced.

use std::{net::IpAddr, sync::Arc, time::Instant};

use arc_swap::ArcSwap;
use opentelemetry::context::FutureExt;
use portcullis::ClientAddress;

use super::{
    Decision, Fault, Gateway, Original, Recent,
    telling::{CacheLookups, Deciding, Teller},
};
use crate::telemetry::Traces;

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
    current: Arc<ArcSwap<Gateway>>,
    lookups: CacheLookups,
    teller: Teller,
}

impl Decider {
    pub(crate) fn new(
        door: Door,
        current: Arc<ArcSwap<Gateway>>,
        traces: Option<Traces>,
        recent: Option<Arc<Recent>>,
    ) -> Self {
        Self { current, lookups: CacheLookups::new(), teller: Teller::new(door, traces, recent) }
    }

    /// The configuration in force. A request is judged by one, whatever is put in its place meanwhile: who answers it loads
    /// the configuration once, and hands it on.
    pub(crate) fn gateway(&self) -> arc_swap::Guard<Arc<Gateway>> {
        self.current.load()
    }

    /// The parent of the span that a decision gets, if it gets one.
    pub(crate) fn traceparent<'a>(&self, read: impl FnOnce() -> Option<&'a str>) -> Option<&'a str> {
        self.teller.traceparent(read)
    }

    /// The decision, if nothing has to be waited for.
    pub(crate) fn decide_now(&self, gateway: &Gateway, original: &Original<'_>) -> Option<Decision> {
        let started = Instant::now();
        let decision = gateway.decide_now(original, |known| self.lookups.count(known))?;
        Some(self.tell(gateway, original, decision, started, None))
    }

    /// The decision, after keys were fetched or a token was introspected; by turns of this client's.
    pub(crate) async fn decide(
        &self,
        gateway: &Gateway,
        original: &Original<'_>,
        client: Option<ClientAddress>,
    ) -> Decision {
        let started = Instant::now();
        let deciding = gateway.decide(original, client);
        match self.teller.begin(original, started) {
            Some(span) => {
                let decision = deciding.with_context(span.context()).await;
                self.tell(gateway, original, decision, started, Some(span))
            }
            None => self.tell(gateway, original, deciding.await, started, None),
        }
    }

    /// The refusal of a request that was not described as it has to be.
    pub(crate) fn refuse(&self, gateway: &Gateway, fault: &Fault, original: &Original<'_>) -> Decision {
        self.tell(gateway, original, gateway.faulty(fault), Instant::now(), None)
    }

    /// The refusal of a peer that is not answered, whatever it asks: it could have tokens judged and introspected, and would
    /// get the JWT behind an opaque one.
    pub(crate) fn refuse_stranger(&self, gateway: &Gateway, peer: IpAddr) -> Option<Decision> {
        let fault = || Fault::UntrustedProxy(peer.to_canonical());
        (!gateway.trusts(peer)).then(|| self.refuse(gateway, &fault(), &Original::NOTHING))
    }

    fn tell(
        &self,
        gateway: &Gateway,
        original: &Original<'_>,
        decision: Decision,
        started: Instant,
        span: Option<Deciding>,
    ) -> Decision {
        self.teller.tell(gateway, original, &decision, started, span);
        decision
    }
}
