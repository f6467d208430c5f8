//! The demo: a resource server guarded by Portcullis, and an authorization server to try it with.
//!
//! `cargo run` starts both and prints the requests to try; `cargo run -- --help` lists the flags.

mod args;
mod authorization;
mod banner;
mod error;
mod resource;
mod samples;
mod signals;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use args::Args;
use authorization::Authorization;
use error::Error;
use resource::ResourceServer;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    log_to_stderr();
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.print();
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), Error> {
    let authorization = Authorization::start(&args).await?;
    let server = ResourceServer::bind(&args.listen).await?;
    let page = banner::text(&server.url(), &authorization.tokens());
    let served = server.serve(authorization.verifier(), page).await;
    authorization.stop().await;
    served
}

/// Refusals are told at `INFO`, so they are seen unless `RUST_LOG` says otherwise.
fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("portcullis=info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
