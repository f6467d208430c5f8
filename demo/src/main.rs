//! The demo: a resource server guarded by Portcullis, and an authorization server to try it with.

mod args;
mod authorization;
mod curl;
mod resource;
mod stop;

use std::process::ExitCode;

use clap::Parser;
use portcullis::ConfigurationError;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use args::Args;
use authorization::Authorization;
use stop::Stop;

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("portcullis=info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            #[expect(clippy::print_stderr, reason = "a command speaks to a person")]
            {
                eprintln!("error: {problem}");
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), String> {
    let stop = Stop::listen().map_err(|error| format!("cannot listen for signals: {error}"))?;
    let authorization = Authorization::new(&args).await?;
    let verifier = authorization.verifier(&args).map_err(|error| told(&error))?;
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}; choose another address with --listen", args.listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    curl::print_welcome(address, &authorization);
    let served = axum::serve(listener, resource::router(verifier, address)).with_graceful_shutdown(stop.asked()).await;
    authorization.stop().await;
    served.map_err(|error| error.to_string())
}

/// An error with its cause.
fn told(error: &ConfigurationError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
