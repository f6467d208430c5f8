//! The record of decisions: each is counted, logged and traced, and the console shows refusals.
//!
//! No token is written. Log and console have its mark, and the issuer and key that it names; after a refusal, as
//! unverified. The span has the issuer of a verified token alone.

mod counts;
mod line;
mod mark;
mod recent;
mod span;

pub(super) use self::{
    counts::{CacheLookups, Counts},
    span::DecisionSpan,
};
pub(crate) use recent::Recent;

use std::{
    cell::OnceCell,
    sync::Arc,
    time::{Instant, SystemTime},
};

use http::HeaderName;
use portcullis::{Access, HeaderFields, VerifiedToken};

use self::mark::Mark;
use super::{Decision, Door, Gateway, Original, Pass, Refused, Reported};
use crate::telemetry::{TRACEPARENT, Traces};

/// The code of a request that passes.
const PASS: &str = "pass";

/// Records the decisions at one door.
#[derive(Clone)]
pub(super) struct Teller {
    door: Door,
    traces: Option<Traces>,
    /// The record for the console, if there is one.
    recent: Option<Arc<Recent>>,
}

/// A decision, in the form that counters, log, console and span read.
struct Told<'a> {
    door: Door,
    /// The name of the route.
    route: Option<&'a str>,
    original: &'a Original<'a>,
    outcome: Outcome<'a>,
    mark: OnceCell<Mark>,
}

/// The outcome of a decision.
#[derive(Clone, Copy)]
enum Outcome<'a> {
    /// The request passes, with its token unless the route is public.
    Passed(Option<&'a VerifiedToken>),
    /// The request passes, on a route that only reports.
    Reported(&'a Reported),
    Refused(&'a Refused),
}

impl Teller {
    pub(super) fn new(door: Door, traces: Option<Traces>, recent: Option<Arc<Recent>>) -> Self {
        Self { door, traces, recent }
    }

    /// Returns the parent of a decision's span, if the decision gets a span and there is exactly one field that names it.
    pub(super) fn traceparent<'a>(&self, fields: &'a dyn HeaderFields) -> Option<&'a str> {
        self.traces.as_ref()?;
        match fields.first_two(&HeaderName::from_static(TRACEPARENT)) {
            [Some(only), None] => std::str::from_utf8(only).ok(),
            _ => None,
        }
    }

    /// Begins the span of a decision, if there is to be one.
    pub(super) fn begin(&self, original: &Original<'_>, started: Instant) -> Option<DecisionSpan> {
        let traces = self.traces.as_ref()?;
        Some(DecisionSpan::begin(traces, original.traceparent, SystemTime::now() - started.elapsed()))
    }

    /// Records a decision. `span` is none if it has yet to begin.
    pub(super) fn tell(
        &self,
        gateway: &Gateway,
        original: &Original<'_>,
        decision: &Decision,
        started: Instant,
        span: Option<DecisionSpan>,
    ) {
        let told = Told {
            door: self.door,
            route: gateway.name_of(decision.route),
            original,
            outcome: Outcome::of(decision),
            mark: OnceCell::new(),
        };
        gateway.counts().of(self.door).count(decision.route, told.outcome, started);
        line::write(&told, gateway.log);
        if let Some(recent) = &self.recent {
            recent.note(&told);
        }
        if let Some(span) = span.or_else(|| self.begin(original, started)) {
            span.end(&told);
        }
    }
}

impl Told<'_> {
    /// Returns the mark of the request's token; made once, and only where it is needed.
    fn mark(&self) -> &Mark {
        self.mark.get_or_init(|| Mark::of(self.original))
    }
}

impl<'a> Outcome<'a> {
    fn of(decision: &'a Decision) -> Self {
        match &decision.outcome {
            Ok(Pass { would_refuse: Some(reported), .. }) => Self::Reported(reported),
            Ok(Pass { access, .. }) => Self::Passed(access.as_ref().map(Access::token)),
            Err(refused) => Self::Refused(refused),
        }
    }
}
