//! The demo: a resource server guarded by Portcullis, and an authorization server to try it with.

mod args;
mod authorization;
mod curl;
mod playground;
mod resource;
mod stop;

use std::{future::IntoFuture, net::SocketAddr, process::ExitCode, time::Duration};

use axum::Router;
use clap::Parser;
use portcullis::{ConfigurationError, Verifier};
use tokio::net::TcpListener;
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use args::Args;
use authorization::Authorization;
use resource::Guards;
use stop::Stop;

/// The time that open requests have to end after the signal to stop.
const GRACE: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> ExitCode {
    let chosen = std::env::var("RUST_LOG").ok().and_then(|targets| targets.parse().ok());
    let targets = chosen.unwrap_or_else(|| Targets::new().with_target("portcullis", LevelFilter::INFO));
    tracing_subscriber::registry().with(fmt::layer().with_writer(std::io::stderr)).with(targets).init();
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
    serve(listener, router(verifier, address, &authorization), stop).await.map_err(|error| error.to_string())?;
    authorization.stop().await;
    Ok(())
}

/// The endpoints, and at `/` the playground or else the list of endpoints.
fn router(verifier: Verifier, address: SocketAddr, authorization: &Authorization) -> Router {
    let guards = Guards::new(verifier);
    let endpoints = resource::router(&guards);
    match authorization {
        Authorization::Embedded { server, jwks } if playground::is_for(address) => {
            endpoints.merge(playground::router(address, guards, server.clone(), jwks.clone()))
        }
        _ => endpoints.merge(resource::index(address)),
    }
}

/// Serves until the signal to stop, and then gives open requests a moment to end.
async fn serve(listener: TcpListener, router: Router, stop: Stop) -> std::io::Result<()> {
    let (stopping, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        stop.asked().await;
        drop(stopping);
    });
    let overdue = async {
        let _ = (&mut stopped).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = serving.into_future() => served,
        () = overdue => Ok(()),
    }
}

/// An error with its cause.
fn told(error: &ConfigurationError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
