//! Counts decisions, with handles that were had beforehand.
//!
//! A look-up of a metric by its labels costs more than the whole decision about a known token.

use std::{
    sync::{PoisonError, RwLock},
    time::Instant,
};

use metrics::{Counter, Histogram, counter, histogram};

/// The name of no route: a route begins with a slash.
const NO_ROUTE: &str = "none";

/// Counts the decisions at one door.
pub(crate) struct Decisions {
    seconds: Histogram,
    routes: Vec<OfRoute>,
    unrouted: OfRoute,
}

/// The decisions about one route.
struct OfRoute {
    route: String,
    passed: Counter,
    /// Few, so that they are searched one by one. Codes are the program's own: a client can add none.
    refused: RwLock<Vec<(&'static str, Counter)>>,
}

impl Decisions {
    /// For the door of that name, and routes in the order of the configuration.
    pub(crate) fn new(door: &'static str, routes: &[String]) -> Self {
        Self {
            seconds: histogram!("portcullis_gateway_decision_seconds", "door" => door),
            routes: routes.iter().map(|route| OfRoute::new(route)).collect(),
            unrouted: OfRoute::new(NO_ROUTE),
        }
    }

    /// A request passed.
    pub(crate) fn passed(&self, route: Option<usize>, started: Instant) {
        self.of(route).passed.increment(1);
        self.seconds.record(started.elapsed());
    }

    /// A request was refused.
    pub(crate) fn refused(&self, route: Option<usize>, code: &'static str, started: Instant) {
        self.of(route).refuse(code);
        self.seconds.record(started.elapsed());
    }

    /// A request passes that would be refused, if its route did not only report.
    pub(crate) fn would_refuse(&self, route: Option<usize>, code: &'static str) {
        let route = self.of(route).route.clone();
        counter!("portcullis_gateway_would_refuse_total", "route" => route, "code" => code).increment(1);
    }

    fn of(&self, route: Option<usize>) -> &OfRoute {
        route.and_then(|index| self.routes.get(index)).unwrap_or(&self.unrouted)
    }
}

impl OfRoute {
    fn new(route: &str) -> Self {
        Self { route: route.to_owned(), passed: handle(route, "pass"), refused: RwLock::default() }
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

fn handle(route: &str, code: &'static str) -> Counter {
    counter!("portcullis_gateway_decisions_total", "route" => route.to_owned(), "code" => code)
}

impl std::fmt::Debug for Decisions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decisions").field("routes", &self.routes.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::metrics::recorder;

    #[test]
    fn each_decision_counts_once_under_its_route_and_code() {
        let recorder = recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            let decisions = Decisions::new("forward_auth", &["/orders/*".into(), "/odd\"path".into()]);
            let started = Instant::now();
            decisions.passed(Some(0), started);
            decisions.passed(Some(0), started);
            decisions.passed(None, started);
            decisions.refused(Some(1), "expired", started);
            decisions.refused(Some(1), "expired", started);
            decisions.refused(Some(7), "no_route", started);
        });
        let text = handle.render();
        for line in [
            r#"portcullis_gateway_decisions_total{route="/orders/*",code="pass"} 2"#,
            r#"portcullis_gateway_decisions_total{route="none",code="pass"} 1"#,
            r#"portcullis_gateway_decisions_total{route="/odd\"path",code="expired"} 2"#,
            r#"portcullis_gateway_decisions_total{route="none",code="no_route"} 1"#,
            r#"portcullis_gateway_decision_seconds_count{door="forward_auth"} 6"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\nin\n{text}");
        }
    }
}
