//! The gateway's memory after 10,000 tokens.

use figures::Figure;
use harness::Result;

use super::{
    Bench, MEMORY, OURS, RESIDENT,
    servers::{Gateway, forward_auth, get},
    tokens::MANY,
};
use crate::{programs::Build, results::Results};

const MEGABYTE: f64 = 1e6;

/// The greatest number of windows until all tokens were sent.
const WINDOWS: usize = 10;

/// The gateway's gauge of cached tokens.
const KEPT: &str = "portcullis_gateway_token_cache_tokens{kind=\"jwt\"}";

const COLUMNS: [(&str, &str); 3] = [("when it has seen two", "MB"), (RESIDENT, "MB"), ("tokens kept", "tokens")];

/// Measures the memory. It varies little, so that three runs are enough unless builds are compared.
pub(super) fn measure(bench: &Bench<'_>, results: &mut Results) -> Result {
    let rounds = if bench.programs.compares() { bench.plan.gateway } else { bench.plan.gateway.min(3) };
    let mut readings: Vec<_> = bench.programs.builds().into_iter().map(|build| (build, Vec::new())).collect();
    for _ in 0..rounds {
        for (build, readings) in &mut readings {
            readings.push(reading(bench, *build)?);
        }
    }
    for (build, readings) in readings {
        let row = format!("{OURS}{}", build.suffix());
        for (index, (column, unit)) in COLUMNS.into_iter().enumerate() {
            let windows = readings.iter().map(|reading: &[f64; 3]| reading[index]).collect();
            results.add(Figure::of(MEMORY, &row, column, unit, windows));
        }
    }
    Ok(())
}

fn reading(bench: &Bench<'_>, build: Build) -> Result<[f64; 3]> {
    let gateway = Gateway::start(bench, build)?;
    let resident = || bench.plan.memory(&gateway.server).map(|bytes| bytes as f64 / MEGABYTE);
    let before = resident()?;
    let mut requests = 0;
    for _ in 0..WINDOWS {
        let window = bench.wrk.ask(gateway.forward_auth, &forward_auth(&bench.tokens.many), bench.plan.seconds)?;
        requests += window.requests;
        if window.requests > MANY {
            return Ok([before, resident()?, kept(&gateway)?]);
        }
    }
    Err(format!("expected enough answered requests to send all tokens, got {requests}"))
}

fn kept(gateway: &Gateway) -> Result<f64> {
    let metrics = get(gateway.admin, "/metrics", &[]).map_err(|error| format!("/metrics: {error}"))?;
    let value = metrics.lines().find_map(|line| line.strip_prefix(KEPT)?.trim().parse().ok());
    value.ok_or_else(|| format!("expected {KEPT} in /metrics, got none"))
}
