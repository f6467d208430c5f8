//! The keeper of the connection: connects, and notices a connection that fails.

use std::{fmt, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use redis::{RedisError, RedisResult};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use super::{connection::Connection, endpoint::Endpoint};

/// The interval at which a connection without failures is tried.
const TRIAL_EVERY: Duration = Duration::from_secs(1);

/// The shortest and the longest pause before another attempt to connect.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// The state that requests and the keeper share: the connection, while it works.
#[derive(Default)]
pub(super) struct Link {
    connection: ArcSwapOption<Connection>,
    doubted: Notify,
}

/// The error while there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotConnected;

impl Link {
    /// Returns the connection; never waits for one.
    pub(super) fn connection(&self) -> Result<Connection, NotConnected> {
        self.connection.load().as_deref().cloned().ok_or(NotConnected)
    }

    /// Reports a failed command: the connection is tried at once.
    pub(super) fn doubt(&self) {
        self.doubted.notify_one();
    }
}

/// Connects, and reconnects, for ever.
pub(super) async fn keep(endpoint: Endpoint, link: Arc<Link>) {
    let mut report = Report::new(endpoint.address());
    let mut pause = PAUSES.0;
    loop {
        let error = match open(&endpoint).await {
            Ok(connection) => {
                pause = PAUSES.0;
                report.up();
                link.connection.store(Some(Arc::new(connection.clone())));
                let error = until_it_fails(connection, &link.doubted).await;
                link.connection.store(None);
                error
            }
            Err(error) => error,
        };
        report.down(&error);
        sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

async fn open(endpoint: &Endpoint) -> RedisResult<Connection> {
    let mut connection = endpoint.connect().await?;
    connection.try_out().await?;
    Ok(connection)
}

async fn until_it_fails(mut connection: Connection, doubted: &Notify) -> RedisError {
    loop {
        // Either is a reason to look.
        let _ = timeout(TRIAL_EVERY, doubted.notified()).await;
        if let Err(error) = connection.try_out().await {
            return error;
        }
    }
}

/// The state of the connection, for metrics and log; the log gets each change once.
struct Report<'a> {
    address: &'a str,
    up: Option<bool>,
}

impl<'a> Report<'a> {
    fn new(address: &'a str) -> Self {
        gauge(false);
        Self { address, up: None }
    }

    fn up(&mut self) {
        gauge(true);
        if self.up.replace(true) != Some(true) {
            tracing::info!(address = self.address, "the store is connected");
        }
    }

    fn down(&mut self, error: &RedisError) {
        gauge(false);
        if self.up.replace(false) == Some(false) {
            tracing::debug!(address = self.address, %error, "the store still cannot be used");
        } else {
            tracing::warn!(address = self.address, %error, "the store cannot be used: the gateway goes on without it");
        }
    }
}

fn gauge(up: bool) {
    metrics::gauge!(crate::telemetry::names::STORE_UP.name).set(f64::from(u8::from(up)));
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("up", &self.connection.load().is_some()).finish_non_exhaustive()
    }
}

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a connection to the store, got none yet")
    }
}

impl std::error::Error for NotConnected {}
