//! Servers in storms, observed at the authorization server and by good requests.
//!
//! ```text
//! bench-storms [--repeats 9] NAME=BINARY…
//! ```
//!
//! The servers take turns. Each storm is bounded in requests and in time; a server that fails in one is
//! reported as failed, and not asked again in that turn.

mod client;
mod first;
mod forged;
mod latency;
mod turns;

use std::process::ExitCode;

use clap::Parser;
use harness::{Cores, Result};
use turns::{Contender, Turns};

/// Measures servers in storms and prints figures.
#[derive(Parser)]
struct Arguments {
    /// The number of runs of each storm with each server
    #[arg(long, default_value_t = 9)]
    repeats: usize,
    /// The servers
    #[arg(required = true, value_name = "NAME=BINARY", value_parser = Contender::parse)]
    servers: Vec<Contender>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result {
    let cores = Cores::choose();
    cores.become_client()?;
    let turns = Turns { cores, servers: &arguments.servers, repeats: arguments.repeats };
    turns.take(first::TABLE, first::storm).await;
    turns.take(forged::TABLE, forged::storm).await;
    Ok(())
}
