//! `portcullis serve`: from the configuration to sockets that answer, until a signal to stop.

mod certificates;
mod observer;
mod reload;
mod sockets;

use std::{path::PathBuf, sync::Arc};

use arc_swap::ArcSwap;
use miette::{IntoDiagnostic, Report, WrapErr};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    admin::{Admin, Console, Hosts},
    config::Config,
    decision::{Decider, Door, Gateway, Recent},
    listener::Drain,
    telemetry::{self, Traces},
};
use observer::Observer;
use reload::Reloader;
use sockets::Sockets;

/// Serves by the configuration in this file until a signal to stop; then lets requests in progress end.
///
/// # Errors
///
/// The mistakes of the configuration, with their lines; or the socket that cannot be bound.
pub(crate) async fn run(path: PathBuf) -> Result<(), Report> {
    let (config, text) = Config::load_with_text(&path)?;
    // First of all: a signal without a handler ends the process at once, with requests in progress.
    let hangups = signal(SignalKind::hangup()).into_diagnostic()?;
    let stops = Stops::listen().into_diagnostic()?;
    let traces = config.traces.as_ref().map(Traces::start).transpose();
    let traces = traces.into_diagnostic().wrap_err("spans cannot be exported")?;
    let _log = telemetry::init(&config.log, traces.as_ref()).into_diagnostic().wrap_err("the log cannot be written")?;
    let metrics = telemetry::metrics().into_diagnostic().wrap_err("metrics cannot be kept")?;
    let gateway = Gateway::build(&config, None)?;
    let sockets = Sockets::bind(&config).await?;
    let issuers = gateway.issuers().clone();
    let current = Arc::new(ArcSwap::from_pointee(gateway));

    let (drain, draining) = Drain::new();
    let (end, ending) = Drain::new();
    let certificates = sockets.certificates(&config);
    let recent = config.console.then(|| Arc::new(Recent::default()));
    let hosts = Hosts::new(&config.admin_hosts);
    let header_bytes = config.limits.header_bytes;
    let reloader = Reloader::new(path, (config, text), Arc::clone(&current), certificates, hangups);
    let observer = Arc::new(Observer::new(Arc::clone(&current), draining.clone(), reloader.on_disk()));
    let console = |recent: &Arc<Recent>| Console::new(Arc::clone(&current), Arc::clone(recent), header_bytes);
    let console = recent.as_ref().map(console);
    let admin = Admin::new(observer, metrics, console).named(hosts);
    let doors = [Door::ForwardAuth, Door::ExtAuthz]
        .map(|door| Decider::new(door, Arc::clone(&current), traces.clone(), recent.clone()));
    let serving = sockets.serve(doors, admin, &draining, &ending);
    tokio::spawn(async move { issuers.prefetch().await });
    let reloading = tokio::spawn(reloader.run());

    stops.first().await;
    tracing::info!("stopping: requests in progress may end");
    drain.begin();
    serving.doors.join_all().await;
    if let Some(traces) = traces {
        traces.end().await;
    }
    // Health and metrics stay to the end.
    end.begin();
    serving.admin.join_all().await;
    reloading.abort();
    Ok(())
}

/// The signals to stop: SIGTERM, which supervisors send, and Ctrl-C.
struct Stops {
    terminate: Signal,
    interrupt: Signal,
}

impl Stops {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the first of them, also one from before this call.
    async fn first(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
