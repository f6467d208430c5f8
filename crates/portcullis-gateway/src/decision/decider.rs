//! The entrance for both doors: the current configuration decides, and each decision is counted, logged and traced.

use std::{net::IpAddr, sync::Arc, time::Instant};

use arc_swap::ArcSwap;
use opentelemetry::context::FutureExt;
use portcullis::{ClientAddress, Ground, HeaderFields, Pending};

use super::{
    Decision, Fault, Gateway, Original, Recent,
    gateway::{Admission, Concluded, Judged, Under},
    kept::Kept,
    telling::{CacheLookups, DecisionSpan, Teller},
};
use crate::{config::Config, telemetry::Traces};

/// The protocol of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The HTTP of nginx, Traefik, Caddy and Envoy.
    ForwardAuth,
    /// The gRPC of Envoy.
    ExtAuthz,
    /// No protocol: the door is within nginx.
    Nginx,
}

impl Door {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ForwardAuth => "forward_auth",
            Self::ExtAuthz => "ext_authz",
            Self::Nginx => "nginx",
        }
    }
}

/// Decides for one door by the current configuration; a reload replaces it.
#[derive(Clone)]
pub struct Decider {
    current: Arc<ArcSwap<Gateway>>,
    lookups: CacheLookups,
    teller: Teller,
}

/// A decision, or the wait for it.
pub enum Deciding {
    /// The decision.
    Done(Decision),
    /// The wait.
    Waits(Box<Waiting>),
}

/// A decision to wait for, with everything found out about the request so far.
pub struct Waiting {
    decider: Decider,
    gateway: Arc<Gateway>,
    stop: Stop,
    kept: Kept,
    started: Instant,
}

/// The place at which a request waits.
enum Stop {
    /// Before the verdict.
    Verdict(Under, Pending),
    /// Before the answer to a token exchange.
    Exchange(Admission),
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

    /// Makes the decider of a door in another program, for one configuration. Call it in a runtime.
    ///
    /// # Errors
    ///
    /// The reason why spans cannot be exported.
    pub fn in_process(door: Door, config: &Config, gateway: Gateway) -> Result<Self, String> {
        let traces = config.traces.as_ref().map(Traces::start).transpose();
        let traces = traces.map_err(|error| format!("spans cannot be exported: {error}"))?;
        Ok(Self::new(door, Arc::new(ArcSwap::from_pointee(gateway)), traces, None))
    }

    /// Returns the current configuration. One configuration judges a request even if a reload replaces it meanwhile:
    /// the caller loads it once, and hands it on.
    pub fn gateway(&self) -> arc_swap::Guard<Arc<Gateway>> {
        self.current.load()
    }

    /// Returns the parent of a decision's span, if the decision gets a span.
    pub fn traceparent<'a>(&self, fields: &'a dyn HeaderFields) -> Option<&'a str> {
        self.teller.traceparent(fields)
    }

    /// Decides about a request as far as possible without waiting.
    pub fn decide(&self, gateway: &Arc<Gateway>, original: &Original<'_>) -> Deciding {
        let started = Instant::now();
        match gateway.judge(original) {
            Judged::Done(decision, ground) => {
                self.lookups.count(ground);
                Deciding::Done(self.tell(gateway, original, decision, started, None))
            }
            Judged::Waits(under, pending) => self.wait(gateway, original, Stop::Verdict(under, pending), started),
            Judged::Exchanges(admission) => self.wait(gateway, original, Stop::Exchange(*admission), started),
        }
    }

    fn wait(&self, gateway: &Arc<Gateway>, original: &Original<'_>, stop: Stop, started: Instant) -> Deciding {
        let (decider, gateway, kept) = (self.clone(), Arc::clone(gateway), Kept::of(original));
        Deciding::Waits(Box::new(Waiting { decider, gateway, stop, kept, started }))
    }

    /// Returns the refusal of a request that is not described properly.
    pub fn refuse(&self, gateway: &Gateway, fault: &Fault, original: &Original<'_>) -> Decision {
        self.tell(gateway, original, gateway.faulty(fault), Instant::now(), None)
    }

    /// Returns the refusal of a peer that is not trusted, whatever it sends: it could have tokens judged and
    /// introspected, and would get the JWT behind an opaque token.
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
        span: Option<DecisionSpan>,
    ) -> Decision {
        self.teller.tell(gateway, original, &decision, started, span);
        decision
    }
}

impl Waiting {
    /// Waits for the decision. Clients take turns at the introspection and token endpoints.
    pub async fn decision(self: Box<Self>, client: Option<ClientAddress>) -> Decision {
        let Self { decider, gateway, stop, kept, started } = *self;
        let original = kept.original();
        let span = decider.teller.begin(&original, started);
        let reached = reach(&gateway, stop, client);
        let (decision, ground) = match &span {
            Some(span) => reached.with_context(span.context()).await,
            None => reached.await,
        };
        decider.lookups.count(ground);
        decider.tell(&gateway, &original, decision, started, span)
    }
}

/// Waits for the verdict, and for the exchange of the token where the route exchanges tokens.
async fn reach(gateway: &Gateway, stop: Stop, client: Option<ClientAddress>) -> (Decision, Option<Ground>) {
    let (concluded, ground) = match stop {
        Stop::Verdict(under, pending) => {
            let verdict = pending.by_client(client).await;
            let ground = verdict.ground;
            (gateway.conclude(under, verdict), ground)
        }
        Stop::Exchange(admission) => {
            let ground = admission.verdict.ground;
            (Concluded::Exchanges(Box::new(admission)), ground)
        }
    };
    match concluded {
        Concluded::Done(decision) => (decision, ground),
        Concluded::Exchanges(admission) => (gateway.exchanged(*admission, client).await, ground),
    }
}
