//! Requests per second over loopback: the bare framework, ours, and the peers, with the same tokens.

mod contestant;
mod load;
mod series;
pub(crate) mod wrk;

use figures::Figure;
use harness::{Cores, Result};

use self::{
    contestant::{Against, Contestant},
    load::Load,
    wrk::Wrk,
};
use crate::{
    plan::Plan,
    programs::{Programs, last_line},
    results::Results,
    tokens::Tokens,
};

pub(crate) use self::series::{AXUM, EXPRESS_PEERS, OURS, RAW, Series};

/// The loads, by the names of their tables.
pub(crate) const SAME: &str = "http: same token";
/// 5,000 tokens in turn.
pub(crate) const ROTATING: &str = "http: rotating 5,000 tokens";
/// No token twice.
pub(crate) const NEW: &str = "http: every token new";
/// The same three on Express.
pub(crate) const EXPRESS_SAME: &str = "express: same token";
/// 5,000 tokens in turn.
pub(crate) const EXPRESS_ROTATING: &str = "express: rotating 5,000 tokens";
/// No token twice.
pub(crate) const EXPRESS_NEW: &str = "express: every token new";
/// On the event loop or beside it.
pub(crate) const INLINE: &str = "express: signatures inline or in the pool";

/// The column that compares with the bare framework.
pub(crate) const OF_BARE: &str = "of bare";
/// The column that compares ours with the row's server.
pub(crate) const OURS_TO_THIS: &str = "portcullis / this";
/// The same for how late the event loop is.
pub(crate) const DELAY_OURS_TO_THIS: &str = "delay: portcullis / this";
/// The column that compares with what a bare request and a raw verification take together.
pub(crate) const OF_BOUND: &str = "of 1/(bare + raw verify)";
/// The column that compares with a server that does just that.
pub(crate) const OF_RAW: &str = "of signature alone";

/// What all windows need.
struct Ring<'a> {
    plan: &'a Plan,
    cores: Cores,
    programs: &'a Programs,
    tokens: &'a Tokens,
    wrk: Wrk,
}

/// Measures all servers under all loads.
pub(crate) fn measure(
    plan: &Plan,
    cores: Cores,
    programs: &Programs,
    tokens: &Tokens,
    results: &mut Results,
) -> Result {
    let wrk = Wrk::new(cores, plan.connections)?;
    let ring = Ring { plan, cores, programs, tokens, wrk };
    for load in Load::all(plan, tokens) {
        ring.measure(&load, results);
    }
    Ok(())
}

impl Ring<'_> {
    fn measure(&self, load: &Load<'_>, results: &mut Results) {
        let mut contestants: Vec<_> = load.field.series.iter().map(Contestant::new).collect();
        let raw: Vec<_> = (0..self.plan.rounds).filter_map(|round| self.round(round, load, &mut contestants)).collect();
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

    /// Servers take turns, and every second round they go in the other order. Gives the raw verification where it
    /// is to be compared with.
    fn round(&self, number: usize, load: &Load<'_>, contestants: &mut [Contestant<'_>]) -> Option<Result<f64>> {
        println!("bench: {}, round {} of {}", load.table, number + 1, self.plan.rounds);
        let raw = load.beside_raw.then(|| self.raw_verify());
        let turn = |contestant: &mut Contestant<'_>| contestant.take_window(self, load);
        if number.is_multiple_of(2) {
            contestants.iter_mut().for_each(turn);
        } else {
            contestants.iter_mut().rev().for_each(turn);
        }
        raw
    }

    /// Seconds for one signature with the fastest kept library, on the server's core.
    fn raw_verify(&self) -> Result<f64> {
        let mut command = self.cores.for_server(&self.programs.path("bench-micro"));
        let line = last_line(command.args(["--raw", "RS256"]))?;
        let figure: Figure = serde_json::from_str(&line).map_err(|error| format!("bench-micro --raw: {error}"))?;
        Ok(figure.median / 1e9)
    }
}
