//! The response times of good requests while other work is done.

use std::{
    future::Future,
    net::SocketAddr,
    time::{Duration, Instant},
};

use harness::Result;
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use crate::client::{Bearer, Connection};

const CONNECTIONS: usize = 4;
/// The interval of requests on each connection.
const EVERY: Duration = Duration::from_millis(2);

/// The response times of good requests, in nanoseconds, and the number of failures.
#[derive(Debug, Default)]
pub(crate) struct Latencies {
    sorted: Vec<f64>,
    /// The number of answers other than 200.
    pub(crate) failed: usize,
}

impl Latencies {
    /// Sends good requests at a steady rate while `other` runs.
    pub(crate) async fn during<T>(
        address: SocketAddr,
        bearer: &Bearer,
        other: impl Future<Output = T>,
    ) -> Result<(Self, T)> {
        let (stop, stopped) = tokio::sync::watch::channel(());
        let mut asking = JoinSet::new();
        for mut connection in Connection::open_many(address, CONNECTIONS).await? {
            let (bearer, stopped) = (bearer.clone(), stopped.clone());
            asking.spawn(async move { ask_until(&mut connection, &bearer, || stopped.has_changed().is_err()).await });
        }
        let outcome = other.await;
        drop(stop);
        let mut all = Self::default();
        asking.join_all().await.into_iter().for_each(|each| all.add(each));
        Ok((all, outcome))
    }

    /// The response time of this percentile (0 to 1); zero without requests.
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        let rank = (self.sorted.len() as f64 * share).ceil() as usize;
        self.sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// Adds the response times of another period or connection.
    pub(crate) fn add(&mut self, more: Self) {
        self.failed += more.failed;
        self.sorted.extend(more.sorted);
        self.sorted.sort_by(f64::total_cmp);
    }
}

/// Sends requests until `done`, or until the connection fails.
async fn ask_until(connection: &mut Connection, bearer: &Bearer, done: impl Fn() -> bool) -> Latencies {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut latencies = Latencies::default();
    while !done() {
        ticks.tick().await;
        let started = Instant::now();
        match connection.ask(bearer).await {
            Ok(status) if status.is_success() => latencies.sorted.push(started.elapsed().as_nanos() as f64),
            Ok(_) => latencies.failed += 1,
            Err(_) => {
                latencies.failed += 1;
                return latencies;
            }
        }
    }
    latencies
}
