//! `portcullis`: the gateway beside nginx, Envoy, Traefik, Caddy and HAProxy. Only the program, and [`door`] for the module
//! within nginx, are meant to be used.
//!
//! A proxy carries the traffic and asks, for each request, whether it may pass. The gateway reads the original request
//! out of the question, finds its route, has the library judge the token, and answers the proxy with the header fields
//! for the upstream. It decides nothing about tokens: each route is a `Secure` of the library, and all share one
//! `Verifier`.
//!
//! ```text
//! serve/                         sockets, reload, drain
//! forward_auth/  ext_authz/      the two protocols by which proxies ask: HTTP, gRPC
//!        └────┬────┘
//!         decision/              original request -> route -> verdict of the library -> decision
//!        routes/                 the route of a path, however the path is spelled
//!         config/                portcullis.toml, with each mistake shown on its line
//! listener/ admin/ store/ telemetry/   sockets and limits; health, metrics, status; Redis; logs
//!
//! init/ explain/ keys/ resource/   for people: a first configuration, explanations of tokens, the keys of a set, a resource as
//!                                clients meet it
//! manual terminal/               completions and man pages; colours, and output without foreign control characters
//! characters files               invisible characters; reading of files that cannot hold up the gateway
//! ```
//!
//! - Only peers in `trusted_proxies` are answered, at both doors. A question must describe its request exactly once, by
//!   header fields of one family, with method and target. Anything else is refused, not guessed at.
//! - A known token is answered within the call, without a task and without an allocation for a future (`answering`).
//! - `portcullis explain` judges as the gateway would: it builds the same `decision::Gateway`, takes the route's
//!   `Secure` from it and has that explain. A token is read from standard input and written nowhere.

#![allow(missing_debug_implementations, reason = "decisions hold tokens, and are not for printing")]

pub mod door;

mod admin;
mod answering;
mod characters;
mod check_config;
mod config;
mod decision;
mod explain;
mod ext_authz;
mod files;
mod forward_auth;
mod init;
mod keys;
mod listener;
mod manual;
mod resource;
mod routes;
mod serve;
mod store;
mod telemetry;
mod terminal;

use std::{path::PathBuf, process::ExitCode, thread};

use clap::{CommandFactory, Parser, Subcommand};
use miette::{IntoDiagnostic, Report};
use tokio::runtime::{Builder, Runtime};

/// Decides for nginx, Envoy, Traefik, Caddy and HAProxy whether a request carries an OAuth 2.0 access token that may pass.
#[derive(Parser)]
#[command(name = "portcullis", version, about, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answer proxies until told to stop; SIGHUP or a change of the file reloads the configuration
    Serve(Configuration),
    /// Write a first configuration for an issuer, by its metadata and keys
    Init(init::Arguments),
    /// Check a configuration and report its mistakes, without serving and without asking any server
    #[command(
        after_help = "Only the file is read, and those that it names. `portcullis keys --issuer URL` fetches the keys of an issuer.\n\n\
        Exit status: 0 if the configuration is good, also with warnings; 1 if it has mistakes."
    )]
    CheckConfig {
        /// The configuration file, in place of `--config`
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        #[command(flatten)]
        configuration: Configuration,
    },
    /// Explain, check by check, why a token passes or is refused
    Explain(Box<explain::Arguments>),
    /// List the keys of a key set, and tell which of them can be used
    Keys(keys::Arguments),
    /// Inspect a protected resource as its clients meet it, and say what keeps them out
    Resource(resource::Arguments),
    /// Write the completions of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual page, or that of a subcommand
    Man {
        /// The subcommand
        subcommand: Option<String>,
    },
}

#[derive(clap::Args)]
struct Configuration {
    /// The configuration file
    #[arg(long, short, default_value = "portcullis.toml", env = "PORTCULLIS_CONFIG", value_name = "FILE")]
    config: PathBuf,
}

/// Runs the command line of `portcullis`.
#[must_use]
pub fn main() -> ExitCode {
    match runtime().into_diagnostic() {
        Ok(runtime) => {
            let code = runtime.block_on(run());
            // Nothing is left to do, and the end waits for no file that nobody sends.
            runtime.shutdown_background();
            code
        }
        Err(report) => ended(Err(report)),
    }
}

/// One core gets one thread: with more, the answers of a connection would be written one by one.
fn runtime() -> std::io::Result<Runtime> {
    let mut builder = match thread::available_parallelism() {
        Ok(cores) if cores.get() > 1 => Builder::new_multi_thread(),
        _ => Builder::new_current_thread(),
    };
    builder.enable_all().build()
}

async fn run() -> ExitCode {
    match Arguments::parse().command {
        Command::Serve(configuration) => ended(serve::run(configuration.config).await),
        Command::Init(arguments) => init::run(arguments).await,
        Command::CheckConfig { file, configuration } => ended(check_config::run(&file.unwrap_or(configuration.config))),
        Command::Explain(arguments) => explain::run(*arguments).await,
        Command::Keys(arguments) => keys::run(arguments).await,
        Command::Resource(arguments) => resource::run(arguments).await,
        Command::Completions { shell } => manual::completions(shell, Arguments::command()),
        Command::Man { subcommand } => manual::page(subcommand.as_deref(), Arguments::command()),
    }
}

fn ended(outcome: Result<(), Report>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => {
            terminal::fault(&report);
            ExitCode::FAILURE
        }
    }
}
