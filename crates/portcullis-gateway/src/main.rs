//! `portcullis`: the gateway beside nginx, Envoy, Traefik and Caddy.
//!
//! A proxy carries the traffic and asks, for each request, whether it may pass. The answer is the library's: the
//! gateway reads the original request out of the question, finds the route, has the token judged, and tells the
//! proxy which header fields the upstream gets.
//!
//! ```text
//! serve/                         sockets, reload, drain
//! forward_auth/  ext_authz/      how a proxy asks, and how it is told
//!        └────┬────┘
//!         decision/              original request -> route -> verdict of the library -> decision
//!        routes/                 which rules a path is under, however it is spelled
//!         config/                portcullis.toml, with each mistake shown on its line
//! listener/ admin/ store/ telemetry/   sockets and limits; health, metrics, status; Redis; logs
//! ```

mod admin;
mod check_config;
mod config;
mod decision;
mod ext_authz;
mod forward_auth;
mod listener;
mod routes;
mod serve;
mod store;
mod telemetry;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// Decides for nginx, Envoy, Traefik and Caddy whether a request carries an OAuth 2.0 access token that may pass.
#[derive(Parser)]
#[command(name = "portcullis", version, about, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answer proxies until asked to stop; SIGHUP, or a change of the file, has the configuration read again
    Serve(Configuration),
    /// Read a configuration, say what is wrong with it, and serve nothing
    CheckConfig(Configuration),
}

#[derive(clap::Args)]
struct Configuration {
    /// The configuration file
    #[arg(long, short, default_value = "portcullis.toml", env = "PORTCULLIS_CONFIG", value_name = "FILE")]
    config: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Serve(configuration) => serve::run(configuration.config).await,
        Command::CheckConfig(configuration) => check_config::run(&configuration.config),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => {
            #[expect(clippy::print_stderr, reason = "a command speaks to a person")]
            {
                eprintln!("{report:?}");
            }
            ExitCode::FAILURE
        }
    }
}
