//! Servers that take turns: their windows and figures.

use std::time::Duration;

use figures::Figure;
use harness::{Result, Server};

use super::Bench;
use crate::{http::wrk::Window, plan::Plan, results::Results};

/// One kind of request, and the servers that it keeps busy.
pub(super) struct Contender<'a> {
    name: String,
    /// The servers, all on the server's core.
    servers: Vec<&'a Server>,
    ask: Box<dyn Fn(usize) -> Result<Answered> + 'a>,
    readings: Vec<Reading>,
    failure: Option<String>,
}

/// The result of a window.
pub(super) struct Answered {
    pub(super) requests: f64,
    pub(super) seconds: f64,
    /// The response times, in nanoseconds; `None` if the client did not measure them.
    pub(super) times: Option<Times>,
}

/// The median and the 99th percentile of response times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Times {
    pub(super) p50: f64,
    pub(super) p99: f64,
}

/// A row, a column, and the row to compare with, round by round: by requests per second, and in a second column by CPU time
/// per request, which other work on the machine disturbs less.
pub(super) type Compared = (&'static str, &'static str, &'static str);

struct Reading {
    rate: f64,
    times: Option<Times>,
    /// CPU time in percent of the window.
    cpu: f64,
    /// CPU time per request in nanoseconds.
    cpu_per_request: f64,
    memory: f64,
}

/// A number of a window, if it was measured.
type Value = fn(&Reading) -> Option<f64>;

impl<'a> Contender<'a> {
    pub(super) fn new(
        name: impl Into<String>,
        servers: impl IntoIterator<Item = &'a Server>,
        ask: impl Fn(usize) -> Result<Answered> + 'a,
    ) -> Self {
        let servers = servers.into_iter().collect();
        Self { name: name.into(), servers, ask: Box::new(ask), readings: Vec::new(), failure: None }
    }

    /// Takes a window, unless an earlier one failed.
    fn take_window(&mut self, plan: &Plan, seconds: usize) {
        if self.failure.is_some() {
            return;
        }
        match self.window(plan, seconds) {
            Ok(reading) => self.readings.push(reading),
            Err(reason) => {
                self.failure = Some(reason);
                self.readings.clear();
            }
        }
    }

    fn window(&self, plan: &Plan, seconds: usize) -> Result<Reading> {
        let before = self.cpu_time()?;
        let answered = (self.ask)(seconds)?;
        let used = (self.cpu_time()? - before).as_secs_f64();
        let memory = self.servers.iter().map(|server| plan.memory(server)).sum::<Result<u64>>()?;
        Ok(Reading {
            rate: answered.requests / answered.seconds,
            times: answered.times,
            cpu: used / answered.seconds * 100.0,
            cpu_per_request: used / answered.requests * 1e9,
            memory: memory as f64,
        })
    }

    fn cpu_time(&self) -> Result<Duration> {
        self.servers.iter().map(|server| server.cpu_time()).sum()
    }

    fn each(&self, value: Value) -> Vec<f64> {
        self.readings.iter().filter_map(value).collect()
    }
}

impl Answered {
    pub(super) fn by_wrk(window: &Window) -> Self {
        let times = Times { p50: window.p50 * 1e3, p99: window.p99 * 1e3 };
        Self { requests: window.requests as f64, seconds: window.duration / 1e6, times: Some(times) }
    }
}

impl Times {
    /// The times of these requests; `None` without requests.
    pub(super) fn of(mut times: Vec<f64>) -> Option<Self> {
        times.sort_by(f64::total_cmp);
        let at = |percent| times.get(times.len() * percent / 100).copied();
        Some(Self { p50: at(50)?, p99: at(99)? })
    }
}

/// Measures all contenders in turn, in the reverse order every second round, and adds the figures.
pub(super) fn take(
    bench: &Bench<'_>,
    table: &str,
    mut contenders: Vec<Contender<'_>>,
    compared: &[Compared],
    results: &mut Results,
) {
    contenders.iter_mut().for_each(|contender| {
        contender.take_window(bench.plan, bench.plan.warm_up);
        contender.readings.clear();
    });
    for round in 0..bench.plan.gateway {
        println!("bench: {table}, round {} of {}", round + 1, bench.plan.gateway);
        let turn = |contender: &mut Contender<'_>| contender.take_window(bench.plan, bench.plan.seconds);
        if round.is_multiple_of(2) {
            contenders.iter_mut().for_each(turn);
        } else {
            contenders.iter_mut().rev().for_each(turn);
        }
    }
    contenders.iter().for_each(|contender| add_figures(table, contender, results));
    for comparison in compared {
        add_ratios(table, &contenders, comparison, results);
    }
}

fn add_figures(table: &str, contender: &Contender<'_>, results: &mut Results) {
    if let Some(reason) = &contender.failure {
        results.fail(format!("{table}: {}: {reason}", contender.name));
        return;
    }
    let columns: [(_, _, Value); 6] = [
        ("requests/s", "req/s", |reading| Some(reading.rate)),
        ("p50", "ns", |reading| Some(reading.times?.p50)),
        ("p99", "ns", |reading| Some(reading.times?.p99)),
        ("CPU", "%", |reading| Some(reading.cpu)),
        ("CPU per request", "ns", |reading| Some(reading.cpu_per_request)),
        (results.plan.memory_column(), "bytes", |reading| Some(reading.memory)),
    ];
    for (column, unit, value) in columns {
        add(table, &contender.name, column, unit, contender.each(value), results);
    }
}

fn add_ratios(table: &str, contenders: &[Contender<'_>], &(row, column, other): &Compared, results: &mut Results) {
    let named = |name| contenders.iter().find(|contender| contender.name == name);
    let (Some(this), Some(other)) = (named(row), named(other)) else { return };
    let rate = |reading: &Reading| Some(reading.rate);
    let cpu = |reading: &Reading| Some(reading.cpu_per_request);
    add(table, row, column, "ratio", ratios(&this.each(rate), &other.each(rate)), results);
    let by_cpu = ratios(&other.each(cpu), &this.each(cpu));
    add(table, row, &format!("{column}, by CPU"), "ratio", by_cpu, results);
}

fn ratios(these: &[f64], others: &[f64]) -> Vec<f64> {
    these.iter().zip(others).map(|(this, other)| this / other).collect()
}

fn add(table: &str, row: &str, column: &str, unit: &str, windows: Vec<f64>, results: &mut Results) {
    if !windows.is_empty() {
        results.add(Figure::of(table, row, column, unit, windows));
    }
}
