//! One server under one load: its windows and figures.

use std::{
    fs,
    io::{self, Read, Write},
    net::TcpStream,
    path::Path,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use figures::Figure;
use harness::{Result, Server};

use super::{
    CPU_PER_REQUEST, DELAY, DELAY_OURS_TO_THIS, OF_BOUND, OF_RAW, OURS_TO_THIS, REQUESTS, Request, Ring, Series,
    load::Load,
    series::{Field, Framework},
    wrk::{Question, Window},
};
use crate::results::Results;

/// The time limit until a server has its keys.
const READY_LIMIT: Duration = Duration::from_secs(5);

/// The lengths of a slow server's warm-ups, as multiples of the plan's.
const WARM_UPS: [usize; 4] = [1, 2, 4, 8];

/// One server under one load.
pub(crate) struct Contestant<'a> {
    series: &'a Series,
    server: Option<Server>,
    readings: Vec<Reading>,
    failure: Option<String>,
}

/// The figures to compare a contestant with, round by round.
pub(crate) struct Against<'a> {
    pub(crate) bare: &'a Contestant<'a>,
    pub(crate) ours: Option<&'a Contestant<'a>>,
    pub(crate) signature_alone: Option<&'a Contestant<'a>>,
    /// Seconds for one signature.
    pub(crate) raw: &'a [f64],
}

/// The result of one window.
struct Reading {
    window: Window,
    /// The CPU time of the server.
    used: Duration,
    memory: f64,
    /// The delay of its event loop in nanoseconds, if it has one.
    delay: Option<f64>,
}

/// The row of a contestant's figures.
struct Row<'a> {
    table: &'a str,
    name: &'a str,
    results: &'a mut Results,
}

impl<'a> Contestant<'a> {
    /// A contestant that is not started yet.
    pub(crate) fn new(series: &'a Series) -> Self {
        Self { series, server: None, readings: Vec::new(), failure: None }
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.series.name == name
    }

    /// Takes one more window when all servers of the round are ready; leaves out a server that failed before.
    pub(crate) fn take_window(&mut self, ring: &Ring<'_>, load: &Load<'_>, pace: Option<f64>, meeting: &Barrier) {
        let server = self.ready(ring, load);
        // A failed server takes part too, because the others wait for all.
        meeting.wait();
        let Some(server) = server else { return };
        match server.and_then(|server| window(server, ring, load, pace)) {
            Ok(reading) => self.readings.push(reading),
            Err(reason) => {
                self.failure = Some(reason);
                // A server with a missing window is not compared.
                self.readings.clear();
            }
        }
        if load.fresh || self.failure.is_some() {
            self.server = None;
        }
    }

    /// Reports its figures: absolute ones, and ratios within each round.
    pub(crate) fn report(&self, load: &Load<'_>, against: &Against<'_>, results: &mut Results) {
        let name = self.series.name;
        if let Some(reason) = &self.failure {
            results.fail(format!("{name} with {}: {reason}", load.table));
            return;
        }
        let mut row = Row { table: load.table, name, results };
        self.add_figures(load, &mut row);
        if !load.field.is_bare(name) {
            self.add_ratios(load, against, &mut row);
            self.remark_on_repeated_tokens(load, results);
        }
    }

    fn add_figures(&self, load: &Load<'_>, row: &mut Row<'_>) {
        if load.at_once {
            // The scheduler decides the rate and time of its answers.
            row.add(CPU_PER_REQUEST, "ns", self.each(Reading::cpu));
            return;
        }
        row.add(REQUESTS, "req/s", self.each(Reading::rate));
        row.add("p50", "ns", self.each(|reading| reading.window.p50 * 1e3));
        row.add("p99", "ns", self.each(|reading| reading.window.p99 * 1e3));
        row.add("CPU", "%", self.each(Reading::busy));
        row.add(CPU_PER_REQUEST, "ns", self.each(Reading::cpu));
        row.add(row.results.plan.memory_column(), "bytes", self.each(|reading| reading.memory));
        row.add(DELAY, "ns", self.delays());
    }

    fn add_ratios(&self, load: &Load<'_>, against: &Against<'_>, row: &mut Row<'_>) {
        let Against { bare, ours, signature_alone, raw } = against;
        let (rates, bare_rates) = (self.each(Reading::rate), bare.each(Reading::rate));
        // At one pace, and on one core, requests per second mean nothing.
        let [of_bare, of_bare_by_cpu] = load.field.compared;
        let is_at_full_load = load.paced_by.is_none() && !load.at_once;
        if is_at_full_load {
            row.add(of_bare, "ratio", ratios(&rates, &bare_rates));
        }
        row.add(of_bare_by_cpu, "ratio", ratios(&bare.each(Reading::cpu), &self.each(Reading::cpu)));
        if let Some(ours) = ours.filter(|ours| !load.at_once && !self.is(ours.series.name)) {
            if is_at_full_load {
                row.add(OURS_TO_THIS, "ratio", ratios(&ours.each(Reading::rate), &rates));
            }
            row.add(DELAY_OURS_TO_THIS, "ratio", ratios(&ours.delays(), &self.delays()));
        }
        if load.beside_raw {
            let bounds: Vec<_> = bare_rates.iter().zip(*raw).map(|(bare, raw)| 1.0 / (1.0 / bare + raw)).collect();
            row.add(OF_BOUND, "ratio", ratios(&rates, &bounds));
        }
        if let Some(alone) = signature_alone.filter(|alone| load.beside_raw && !self.is(alone.series.name)) {
            row.add(OF_RAW, "ratio", ratios(&rates, &alone.each(Reading::rate)));
        }
    }

    /// One number of each window.
    fn each(&self, value: fn(&Reading) -> f64) -> Vec<f64> {
        self.readings.iter().map(value).collect()
    }

    /// The delays of each window; none for a server without an event loop.
    fn delays(&self) -> Vec<f64> {
        self.readings.iter().filter_map(|reading| reading.delay).collect()
    }

    /// Adds a remark if tokens came twice, which helps a server with a cache.
    fn remark_on_repeated_tokens(&self, load: &Load<'_>, results: &mut Results) {
        let most = self.readings.iter().map(|reading| reading.window.requests).max().unwrap_or_default();
        if let Some(tokens) = load.most.filter(|tokens| most > *tokens) {
            let name = self.series.name;
            results.remark(
                load.table,
                format!("{name} answered {most} requests: some of the {tokens} tokens came twice."),
            );
        }
    }

    /// Its server, started and warmed up; `None` if it is left out.
    fn ready(&mut self, ring: &Ring<'_>, load: &Load<'_>) -> Option<Result<&mut Server>> {
        if self.failure.is_some() {
            return None;
        }
        Some(match &mut self.server {
            Some(server) => Ok(server),
            none => started(self.series, ring, load).map(|server| none.insert(server)),
        })
    }
}

fn window(server: &mut Server, ring: &Ring<'_>, load: &Load<'_>, pace: Option<f64>) -> Result<Reading> {
    // Delays before the window do not count.
    delay(server, load.field)?;
    let before = server.cpu_time()?;
    let window = ring.wrk.ask(server.address(), &Question { pace, ..load.question(load.tokens) }, load.seconds)?;
    let used = server.cpu_time()? - before;
    let delay = delay(server, load.field)?;
    Ok(Reading { used, memory: ring.plan.memory(server)? as f64, delay, window })
}

impl Row<'_> {
    /// Adds a figure, unless it has no windows.
    fn add(&mut self, column: &str, unit: &str, windows: Vec<f64>) {
        if !windows.is_empty() {
            self.results.add(Figure::of(self.table, self.name, column, unit, windows));
        }
    }
}

impl Reading {
    fn rate(&self) -> f64 {
        self.window.rate()
    }

    /// The CPU time of each request in nanoseconds.
    fn cpu(&self) -> f64 {
        self.used.as_nanos() as f64 / self.window.requests as f64
    }

    /// The share of the window in which the server had its core, in percent.
    fn busy(&self) -> f64 {
        self.used.as_micros() as f64 / self.window.duration * 100.0
    }
}

/// The ratios, round by round.
fn ratios(these: &[f64], others: &[f64]) -> Vec<f64> {
    these.iter().zip(others).map(|(this, other)| this / other).collect()
}

fn started(series: &Series, ring: &Ring<'_>, load: &Load<'_>) -> Result<Server> {
    let mut command = match load.field.framework {
        Framework::Axum => ring.cores.for_server(&ring.programs.path(series.build, series.program)),
        Framework::Express => ring.programs.node(series.build, &ring.cores, load.node, series.program),
    };
    command.args(series.options);
    let server = Server::start(command, &ring.tokens.issuer)?;
    let tokens = if load.with_proofs { load.warm_up } else { &ring.tokens.same };
    until_ready(&server, tokens, load.field)?;
    warm_up(&server, ring, load)?;
    Ok(server)
}

/// Warms up until one go has a request for each rotating token, so that all caches are filled.
fn warm_up(server: &Server, ring: &Ring<'_>, load: &Load<'_>) -> Result {
    for times in WARM_UPS {
        let window = ring.wrk.ask(server.address(), &load.question(load.warm_up), times * ring.plan.warm_up)?;
        // A proof is good once.
        if window.requests >= ring.plan.rotating || load.with_proofs {
            break;
        }
    }
    Ok(())
}

/// The delay of its event loop since the last call, if it has one.
fn delay(server: &Server, field: &Field) -> Result<Option<f64>> {
    match field.framework {
        Framework::Axum => Ok(None),
        Framework::Express => server.event_loop_delay().map(Some),
    }
}

/// Waits for the keys, because some servers listen before they have them.
fn until_ready(server: &Server, tokens: &Path, field: &Field) -> Result {
    let tokens = fs::read_to_string(tokens).map_err(|error| format!("{}: {error}", tokens.display()))?;
    // A proof is good once; the warm-up begins with the first.
    let mut lines = tokens.lines().rev().cycle();
    let good = format!("\r\n\r\n{}", field.answer);
    let started = Instant::now();
    loop {
        let line = lines.next().unwrap_or_default();
        let answer = answer(server, line, &field.request).map_err(|error| format!("no answer: {error}"))?;
        if answer.starts_with("HTTP/1.1 200") && answer.ends_with(&good) {
            return Ok(());
        }
        if started.elapsed() > READY_LIMIT {
            return Err(format!("a good token is answered with {}", answer.lines().next().unwrap_or("nothing")));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn answer(server: &Server, line: &str, request: &Request) -> io::Result<String> {
    let mut stream = TcpStream::connect(server.address())?;
    stream.set_read_timeout(Some(READY_LIMIT))?;
    let Request { fields, content } = request;
    let (method, length) = (if content.is_empty() { "GET" } else { "POST" }, content.len());
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    let host = if fields.contains("Host:") { "" } else { "Host: bench\r\n" };
    let credentials = match line.split_once(' ') {
        Some((token, proof)) => format!("DPoP {token}\r\nDPoP: {proof}"),
        None => format!("Bearer {line}"),
    };
    write!(stream, "{method} / HTTP/1.1\r\n{host}Connection: close\r\nAuthorization: {credentials}\r\n")?;
    write!(stream, "{fields}Content-Length: {length}\r\n\r\n{content}")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
