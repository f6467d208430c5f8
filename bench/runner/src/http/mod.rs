//! Requests per second over loopback: the bare framework, Portcullis, and the peers, with the same tokens.

mod contestant;
mod load;
mod series;
pub(crate) mod wrk;

use std::{sync::Barrier, thread};

use figures::Figure;
use harness::{Cores, Result};

use self::{
    contestant::{Against, Contestant},
    load::Load,
    wrk::Wrk,
};
use crate::{
    plan::Plan,
    programs::{Build, Programs, last_line},
    results::Results,
    tokens::Tokens,
};

pub(crate) use self::series::{AXUM, Framework, Request, Series, TOOL_CALL};
use self::series::{OURS, RAW};

/// The loads, by the names of their tables.
const SAME: &str = "http: same token";
/// The same on actix-web.
const SAME_ON_ACTIX: &str = "http: same token, on actix-web";
/// 5,000 tokens in turn.
const ROTATING: &str = "http: rotating 5,000 tokens";
/// No token twice.
const NEW: &str = "http: every token new";
/// A call of an MCP server's tool.
const MCP_CALL: &str = "http: a call of an MCP tool";
/// A cached token, and a new DPoP proof with each request.
const PROOFS: &str = "http: a DPoP proof with each request";
/// The same on Express.
const EXPRESS_PROOFS: &str = "express: a DPoP proof with each request";
/// The tables of the same three loads on Express.
const EXPRESS_SAME: &str = "express: same token";
/// 5,000 tokens in turn.
const EXPRESS_ROTATING: &str = "express: rotating 5,000 tokens";
/// No token twice.
const EXPRESS_NEW: &str = "express: every token new";
/// The same, while all are asked at one pace.
const EXPRESS_SAME_PACED: &str = "express: same token, at one pace";
/// 5,000 tokens in turn, at one pace.
const EXPRESS_ROTATING_PACED: &str = "express: rotating 5,000 tokens, at one pace";
/// No token twice, at one pace.
const EXPRESS_NEW_PACED: &str = "express: every token new, at one pace";
/// Known tokens, while the servers share a core.
const EXPRESS_SAME_AT_ONCE: &str = "express: same token, all at once on one core";
/// 5,000 tokens in turn, on that core.
const EXPRESS_ROTATING_AT_ONCE: &str = "express: rotating 5,000 tokens, all at once on one core";
/// Known tokens on that core, on Node.js with long-term support.
const EXPRESS_SAME_ON_LTS: &str = "express: same token, all at once on one core, on Node 24";
/// 5,000 tokens in turn, on the same.
const EXPRESS_ROTATING_ON_LTS: &str = "express: rotating 5,000 tokens, all at once on one core, on Node 24";
/// Those at one pace.
pub(crate) const EXPRESS_PACED: [&str; 3] = [EXPRESS_SAME_PACED, EXPRESS_ROTATING_PACED, EXPRESS_NEW_PACED];
/// On the event loop or beside it.
const INLINE: &str = "express: signatures inline or in the pool";

/// The column with the number of answers.
pub(crate) const REQUESTS: &str = "requests/s";
/// The column with the CPU time of a request.
const CPU_PER_REQUEST: &str = "CPU per request";
/// The column with the delay of the event loop.
pub(crate) const DELAY: &str = "event-loop delay p99";
/// The column that compares Portcullis with the row's server.
const OURS_TO_THIS: &str = "portcullis / this";
/// The same for the delay of the event loop.
const DELAY_OURS_TO_THIS: &str = "delay: portcullis / this";
/// The column that compares with the time of a bare request plus a raw verification.
const OF_BOUND: &str = "of 1/(bare + raw verify)";
/// The column that compares with a server that does just that.
const OF_RAW: &str = "of signature alone";

/// The common data of all windows.
pub(crate) struct Ring<'a> {
    plan: &'a Plan,
    cores: Cores,
    programs: &'a Programs,
    tokens: &'a Tokens,
    wrk: Wrk,
}

impl<'a> Ring<'a> {
    pub(crate) fn new(plan: &'a Plan, cores: Cores, programs: &'a Programs, tokens: &'a Tokens) -> Result<Self> {
        Ok(Self { plan, cores, programs, tokens, wrk: Wrk::new(cores, plan.connections)? })
    }

    /// Measures the servers on axum under all their loads.
    pub(crate) fn on_axum(&self, results: &mut Results) {
        let loads = if self.programs.compares() { Load::on_axum_against } else { Load::on_axum };
        self.measure_all(&loads(self.plan, self.tokens), results);
    }

    /// Measures the servers on Express under all their loads.
    pub(crate) fn on_express(&self, results: &mut Results) {
        let loads = if self.programs.compares() { Load::on_express_against } else { Load::on_express };
        self.measure_all(&loads(self.plan, self.tokens), results);
    }

    fn measure_all(&self, loads: &[Load<'_>], results: &mut Results) {
        let is_wanted =
            |load: &&Load<'_>| self.plan.only.as_ref().is_none_or(|only| load.table.contains(only.as_str()));
        for load in loads.iter().filter(is_wanted) {
            match load.pace(results) {
                Ok(pace) => self.measure(load, pace, results),
                Err(reason) => results.fail(format!("{}: {reason}", load.table)),
            }
        }
    }

    fn measure(&self, load: &Load<'_>, pace: Option<f64>, results: &mut Results) {
        let mut contestants: Vec<_> = load.field.series.iter().map(Contestant::new).collect();
        let raw: Vec<_> =
            (0..self.plan.rounds).filter_map(|round| self.round(round, load, pace, &mut contestants)).collect();
        let raw = raw.into_iter().collect::<Result<Vec<f64>>>().unwrap_or_else(|reason| {
            results.fail(format!("raw verification beside {}: {reason}", load.table));
            Vec::new()
        });
        let named = |name: &str| contestants.iter().find(|contestant| contestant.is(name));
        if let Some(bare) = contestants.first() {
            let against = Against { bare, ours: named(OURS), signature_alone: named(RAW), raw: &raw };
            contestants.iter().for_each(|contestant| contestant.report(load, &against, results));
        }
    }

    /// Takes a window of each server by turns, in the reverse order every second round, or of all at once. Returns the time of
    /// the raw verification if it is to be compared.
    fn round(
        &self,
        number: usize,
        load: &Load<'_>,
        pace: Option<f64>,
        contestants: &mut [Contestant<'_>],
    ) -> Option<Result<f64>> {
        println!("bench: {}, round {} of {}", load.table, number + 1, self.plan.rounds);
        if load.with_proofs {
            let count = |seconds| self.plan.proofs(load.field.framework, seconds);
            if let Err(reason) = self.tokens.prove(count(load.seconds), count(self.plan.warm_up)) {
                return Some(Err(reason));
            }
        }
        let raw = load.beside_raw.then(|| self.raw_verify());
        let meeting = Barrier::new(if load.at_once { contestants.len() } else { 1 });
        let turn = |contestant: &mut Contestant<'_>| contestant.take_window(self, load, pace, &meeting);
        if load.at_once {
            thread::scope(|scope| {
                for contestant in contestants {
                    scope.spawn(|| turn(contestant));
                }
            });
        } else if number.is_multiple_of(2) {
            contestants.iter_mut().for_each(turn);
        } else {
            contestants.iter_mut().rev().for_each(turn);
        }
        raw
    }

    /// Seconds for one signature with the fastest kept library, on the server's core.
    fn raw_verify(&self) -> Result<f64> {
        let mut command = self.cores.for_server(&self.programs.path(Build::This, "bench-micro"));
        let line = last_line(command.args(["--raw", "RS256"]))?;
        let figure: Figure = serde_json::from_str(&line).map_err(|error| format!("bench-micro --raw: {error}"))?;
        Ok(figure.median / 1e9)
    }
}
