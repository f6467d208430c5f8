//! The counters of decisions. Their handles are made beforehand: looking up a metric by its labels costs more than the
//! whole decision about a known token.

use std::{
    sync::{OnceLock, PoisonError, RwLock},
    time::Instant,
};

use metrics::{Counter, Histogram, counter, histogram};
use portcullis::Ground;

use super::{Outcome, PASS};
use crate::{decision::Door, telemetry::names};

/// The label for no route: a route begins with a slash.
const NO_ROUTE: &str = "none";

/// The counts of each door, for the routes of one configuration.
pub(in crate::decision) struct Counts {
    forward_auth: Decisions,
    ext_authz: Decisions,
    /// Made for the first decision: the gateway itself has no such door.
    nginx: OnceLock<Decisions>,
    routes: Vec<String>,
}

/// The counters of the decisions at one door.
pub(super) struct Decisions {
    seconds: Histogram,
    routes: Vec<OfRoute>,
    unrouted: OfRoute,
}

/// The counters of the decisions about one route.
struct OfRoute {
    route: String,
    passed: Counter,
    /// The counters of refusals by code. They are few, and searched one by one; clients cannot add codes.
    refused: RwLock<Vec<(&'static str, Counter)>>,
}

impl Counts {
    /// Makes the counters, for routes in the order of the configuration.
    pub(in crate::decision) fn new(routes: &[String]) -> Self {
        let of = |door: Door| Decisions::new(door.name(), routes);
        Self {
            forward_auth: of(Door::ForwardAuth),
            ext_authz: of(Door::ExtAuthz),
            nginx: OnceLock::new(),
            routes: routes.to_owned(),
        }
    }

    pub(super) fn of(&self, door: Door) -> &Decisions {
        match door {
            Door::ForwardAuth => &self.forward_auth,
            Door::ExtAuthz => &self.ext_authz,
            Door::Nginx => self.nginx.get_or_init(|| Decisions::new(door.name(), &self.routes)),
        }
    }
}

impl Decisions {
    fn new(door: &'static str, routes: &[String]) -> Self {
        Self {
            seconds: histogram!(names::DECISION_SECONDS.name, "door" => door),
            routes: routes.iter().map(|route| OfRoute::new(route)).collect(),
            unrouted: OfRoute::new(NO_ROUTE),
        }
    }

    /// Counts a decision, and its duration.
    pub(super) fn count(&self, route: Option<usize>, outcome: Outcome<'_>, started: Instant) {
        let route = self.of(route);
        match outcome {
            Outcome::Passed(_) => route.passed.increment(1),
            Outcome::Reported(reported) => {
                route.passed.increment(1);
                route.would_refuse(reported.code);
            }
            Outcome::Refused(refused) => route.refuse(refused.code),
        }
        self.seconds.record(started.elapsed());
    }

    fn of(&self, route: Option<usize>) -> &OfRoute {
        route.and_then(|index| self.routes.get(index)).unwrap_or(&self.unrouted)
    }
}

impl OfRoute {
    fn new(route: &str) -> Self {
        Self { route: route.to_owned(), passed: handle(route, PASS), refused: RwLock::default() }
    }

    fn would_refuse(&self, code: &'static str) {
        let route = self.route.clone();
        counter!(names::WOULD_REFUSE.name, "route" => route, "code" => code).increment(1);
    }

    fn refuse(&self, code: &'static str) {
        let known = self.refused.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, counter)) = known.iter().find(|(known, _)| *known == code) {
            counter.increment(1);
            return;
        }
        drop(known);
        let counter = handle(&self.route, code);
        counter.increment(1);
        let mut known = self.refused.write().unwrap_or_else(PoisonError::into_inner);
        if !known.iter().any(|(known, _)| *known == code) {
            known.push((code, counter));
        }
    }
}

/// The counters of cache look-ups, by outcome.
#[derive(Clone)]
pub(in crate::decision) struct CacheLookups {
    hit: Counter,
    miss: Counter,
}

impl CacheLookups {
    pub(in crate::decision) fn new() -> Self {
        let of = |outcome| counter!(names::CACHE_LOOKUPS.name, "outcome" => outcome);
        Self { hit: of("hit"), miss: of("miss") }
    }

    /// Counts the look-up of a token, by the ground of its verdict; no ground means no look-up.
    pub(in crate::decision) fn count(&self, ground: Option<Ground>) {
        match ground {
            None => {}
            Some(Ground::Cached) => self.hit.increment(1),
            Some(_) => self.miss.increment(1),
        }
    }
}

fn handle(route: &str, code: &'static str) -> Counter {
    counter!(names::DECISIONS.name, "route" => route.to_owned(), "code" => code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        decision::{Refused, Reported},
        telemetry::recorder,
    };

    fn refused(code: &'static str) -> Refused {
        Refused { code, reason: String::new(), response: http::Response::default() }
    }

    #[test]
    fn each_decision_counts_once_under_its_route_and_code() {
        let recorder = recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            let decisions = Decisions::new("forward_auth", &["/orders/*".into(), "/odd\"path".into()]);
            let started = Instant::now();
            let reported = Reported { code: "expired", reason: String::new() };
            let [expired, no_route] = ["expired", "no_route"].map(refused);
            for (route, outcome) in [
                (Some(0), Outcome::Passed(None)),
                (Some(0), Outcome::Reported(&reported)),
                (None, Outcome::Passed(None)),
                (Some(1), Outcome::Refused(&expired)),
                (Some(1), Outcome::Refused(&expired)),
                (Some(7), Outcome::Refused(&no_route)),
            ] {
                decisions.count(route, outcome, started);
            }
        });
        let text = handle.render();
        for line in [
            r#"portcullis_gateway_decisions_total{route="/orders/*",code="pass"} 2"#,
            r#"portcullis_gateway_decisions_total{route="none",code="pass"} 1"#,
            r#"portcullis_gateway_decisions_total{route="/odd\"path",code="expired"} 2"#,
            r#"portcullis_gateway_decisions_total{route="none",code="no_route"} 1"#,
            r#"portcullis_gateway_would_refuse_total{route="/orders/*",code="expired"} 1"#,
            r#"portcullis_gateway_decision_seconds_count{door="forward_auth"} 6"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\nin\n{text}");
        }
    }
}
