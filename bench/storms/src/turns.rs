//! Servers take turns in a storm, so that a machine that slows down slows all of them.

use std::{path::PathBuf, time::Duration};

use figures::Figure;
use harness::{Cores, Result, Server};
use portcullis_testkit::{AuthorizationServer, Endpoint, Fault};

/// The delay of each answer with keys, as of an authorization server on another machine.
const JWKS_DELAY: Duration = Duration::from_millis(20);

/// A server and its name in figures.
#[derive(Debug, Clone)]
pub(crate) struct Contender {
    name: String,
    binary: PathBuf,
}

impl Contender {
    /// Reads `NAME=BINARY`.
    pub(crate) fn parse(text: &str) -> std::result::Result<Self, String> {
        let (name, binary) = text.split_once('=').ok_or("expected NAME=BINARY")?;
        Ok(Self { name: name.to_owned(), binary: binary.into() })
    }
}

/// One number measured in a storm.
pub(crate) struct Reading {
    /// The column of the number.
    pub(crate) column: &'static str,
    /// `ns`, `fetches`, …
    pub(crate) unit: &'static str,
    /// The number.
    pub(crate) value: f64,
}

/// A fresh server that has answered no request, and its issuer.
pub(crate) struct Fresh {
    /// The authorization server; its counters began with the server's start.
    pub(crate) issuer: AuthorizationServer,
    /// The server.
    pub(crate) server: Server,
}

/// The servers that take turns, the number of turns, and the cores.
pub(crate) struct Turns<'a> {
    /// The server's core and the client's.
    pub(crate) cores: Cores,
    /// The servers that take turns.
    pub(crate) servers: &'a [Contender],
    /// The number of turns.
    pub(crate) repeats: usize,
}

impl Turns<'_> {
    /// Runs a storm with each server, several times, and prints the figures.
    pub(crate) async fn take(&self, table: &str, storm: impl AsyncFn(&Fresh) -> Result<Vec<Reading>>) {
        let mut outcomes: Vec<Vec<Result<Vec<Reading>>>> = self.servers.iter().map(|_| Vec::new()).collect();
        for round in 0..self.repeats {
            for (server, outcomes) in self.servers.iter().zip(&mut outcomes) {
                let outcome = self.one_turn(server, &storm).await;
                if let Err(reason) = &outcome {
                    eprintln!("{table}: {}: {reason}", server.name);
                }
                outcomes.push(outcome);
            }
            eprintln!("{table}: round {} of {}", round + 1, self.repeats);
        }
        for (server, outcomes) in self.servers.iter().zip(outcomes) {
            print(table, &server.name, outcomes);
        }
    }

    async fn one_turn(
        &self,
        contender: &Contender,
        storm: &impl AsyncFn(&Fresh) -> Result<Vec<Reading>>,
    ) -> Result<Vec<Reading>> {
        let issuer = AuthorizationServer::builder().start().await;
        let issuer = issuer.map_err(|error| format!("cannot start the authorization server: {error}"))?;
        issuer.fault(Endpoint::Jwks, Fault::Delay(JWKS_DELAY));
        storm(&Fresh::start(self.cores, contender, issuer).await?).await
    }
}

impl Fresh {
    /// Starts a server on another thread, because it may fetch keys from this one before it listens.
    async fn start(cores: Cores, contender: &Contender, issuer: AuthorizationServer) -> Result<Self> {
        let (command, asked) = (cores.for_server(&contender.binary), issuer.clone());
        let starting = tokio::task::spawn_blocking(move || Server::start(command, &asked));
        let server = starting.await.map_err(|error| error.to_string())??;
        Ok(Self { issuer, server })
    }
}

fn print(table: &str, row: &str, outcomes: Vec<Result<Vec<Reading>>>) {
    let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    Figure::count(table, row, "failed turns", "turns", failed as f64).print();
    let turns: Vec<_> = outcomes.into_iter().flatten().collect();
    for (column, Reading { column: name, unit, .. }) in turns.iter().flatten().take(columns(&turns)).enumerate() {
        let windows = turns.iter().filter_map(|readings| readings.get(column)).map(|reading| reading.value);
        Figure::of(table, row, name, unit, windows.collect()).print();
    }
}

/// The number of columns, the same in all turns of a storm.
fn columns(turns: &[Vec<Reading>]) -> usize {
    turns.first().map_or(0, Vec::len)
}
