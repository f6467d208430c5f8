//! What the gateway has in memory when it has seen 10,000 tokens.

use figures::Figure;
use harness::Result;

use super::{
    Bench, MEMORY, OURS, RESIDENT,
    servers::{Gateway, forward_auth, get},
    tokens::MANY,
};
use crate::{programs::Build, results::Results};

const MEGABYTE: f64 = 1e6;

/// How many windows there may be until all tokens came.
const WINDOWS: usize = 10;

/// Its gauge of tokens that are kept.
const KEPT: &str = "portcullis_gateway_token_cache_tokens{kind=\"jwt\"}";

pub(super) fn measure(bench: &Bench<'_>, results: &mut Results) -> Result {
    bench.programs.builds().into_iter().try_for_each(|build| measure_build(bench, build, results))
}

fn measure_build(bench: &Bench<'_>, build: Build, results: &mut Results) -> Result {
    let columns = [("when it has seen two", "MB"), (RESIDENT, "MB"), ("tokens kept", "tokens")];
    let mut windows = columns.map(|_| Vec::new());
    for _ in 0..bench.plan.gateway.min(3) {
        let reading = reading(bench, build)?;
        windows.iter_mut().zip(reading).for_each(|(windows, value)| windows.push(value));
    }
    for ((column, unit), windows) in columns.into_iter().zip(windows) {
        results.add(Figure::of(MEMORY, &format!("{OURS}{}", build.suffix()), column, unit, windows));
    }
    Ok(())
}

fn reading(bench: &Bench<'_>, build: Build) -> Result<[f64; 3]> {
    let gateway = Gateway::start(bench, build)?;
    let resident = || gateway.server.memory().map(|bytes| bytes as f64 / MEGABYTE);
    let before = resident()?;
    let mut requests = 0;
    for _ in 0..WINDOWS {
        let window = bench.wrk.ask(gateway.forward_auth, &forward_auth(&bench.tokens.many), bench.plan.seconds)?;
        requests += window.requests;
        if window.requests > MANY {
            return Ok([before, resident()?, kept(&gateway)?]);
        }
    }
    Err(format!("{requests} requests were answered, too few to see all tokens"))
}

fn kept(gateway: &Gateway) -> Result<f64> {
    let metrics = get(gateway.admin, "/metrics", &[]).map_err(|error| format!("/metrics: {error}"))?;
    let value = metrics.lines().find_map(|line| line.strip_prefix(KEPT)?.trim().parse().ok());
    value.ok_or_else(|| format!("/metrics does not tell {KEPT}"))
}
