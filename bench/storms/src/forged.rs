//! 1,000 tokens with forged key ids: the number of key fetches, and the effect on good requests.
//!
//! Good requests are measured alone, then, by turns of a quarter of a second, beside 1,000 good requests and beside 1,000
//! forged ones at the same pace. The two differ only in the forgery, so that their ratio is its cost.

use std::{net::SocketAddr, time::Duration};

use harness::{Result, access_token, forged_token};
use hyper::StatusCode;
use portcullis_testkit::{Algorithm, Endpoint, SigningKey};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};

use crate::{
    client::{Bearer, Connection},
    latency::Latencies,
    turns::{Fresh, Reading},
};

pub(crate) const TABLE: &str = "storm: 1,000 forged kids";

const REQUESTS: usize = 1000;
const CONNECTIONS: usize = 16;
/// The number of turns of the storm.
const TURNS: usize = 8;
/// The interval of requests on each connection: 1,000 requests in about two seconds.
const EVERY: Duration = Duration::from_millis(32);
const QUIET: Duration = Duration::from_secs(1);
/// The time to wait for fetches that a storm has caused.
const AFTERMATH: Duration = Duration::from_millis(100);
/// The greatest number of requests until a fresh server accepts a good token.
const TRIES: usize = 200;

/// Waits until the server accepts a good token, then measures without and with the storm.
pub(crate) async fn storm(fresh: &Fresh) -> Result<Vec<Reading>> {
    let address = fresh.server.address();
    let good = Bearer::new(&access_token(&fresh.issuer, Algorithm::RS256, 0))?;
    let forged = forged(fresh)?;
    until_accepted(address, &good).await?;

    let (quiet, ()) = Latencies::during(address, &good, sleep(QUIET)).await?;
    let fetches_before = fresh.issuer.requests(Endpoint::Jwks);
    let (mut before, mut meanwhile, mut answers) = (Latencies::default(), Latencies::default(), Vec::new());
    for forged in forged.chunks(REQUESTS / TURNS) {
        beside(address, &good, vec![good.clone(); forged.len()], &mut before).await?;
        answers.extend(beside(address, &good, forged.to_vec(), &mut meanwhile).await?);
    }
    sleep(AFTERMATH).await;
    let fetches = fresh.issuer.requests(Endpoint::Jwks) - fetches_before;
    let mut readings = vec![Reading { column: "fetches", unit: "fetches", value: fetches as f64 }];
    readings.extend(told_by(&answers));
    readings.extend(compared(&quiet, &before, &meanwhile));
    Ok(readings)
}

/// Measures good requests beside others, and returns the statuses of the others.
async fn beside(
    address: SocketAddr,
    good: &Bearer,
    others: Vec<Bearer>,
    latencies: &mut Latencies,
) -> Result<Vec<StatusCode>> {
    let (more, answers) = Latencies::during(address, good, send(address, others)).await?;
    latencies.add(more);
    answers
}

fn forged(fresh: &Fresh) -> Result<Vec<Bearer>> {
    let stranger = SigningKey::generate(Algorithm::RS256, "stranger");
    (0..REQUESTS).map(|number| Bearer::new(&forged_token(&fresh.issuer, &stranger, number))).collect()
}

async fn until_accepted(address: SocketAddr, good: &Bearer) -> Result {
    for _ in 0..TRIES {
        if Connection::open(address).await?.ask(good).await?.is_success() {
            return Ok(());
        }
        sleep(Duration::from_millis(20)).await;
    }
    Err("expected the server to accept a good token, but it refused each".to_owned())
}

/// Sends all requests at a steady pace, on several connections.
async fn send(address: SocketAddr, bearers: Vec<Bearer>) -> Result<Vec<StatusCode>> {
    let mut sending = JoinSet::new();
    let connections = Connection::open_many(address, CONNECTIONS).await?;
    for (mut connection, share) in connections.into_iter().zip(bearers.chunks(bearers.len().div_ceil(CONNECTIONS))) {
        let share = share.to_vec();
        sending.spawn(async move { send_share(&mut connection, &share).await });
        // Connections are spread over the interval.
        sleep(EVERY / CONNECTIONS as u32).await;
    }
    let shares: Result<Vec<_>> = sending.join_all().await.into_iter().collect();
    Ok(shares?.concat())
}

async fn send_share(connection: &mut Connection, bearers: &[Bearer]) -> Result<Vec<StatusCode>> {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut answers = Vec::with_capacity(bearers.len());
    for bearer in bearers {
        ticks.tick().await;
        answers.push(connection.ask(bearer).await?);
    }
    Ok(answers)
}

fn told_by(answers: &[StatusCode]) -> Vec<Reading> {
    let count = |which: fn(&StatusCode) -> bool| answers.iter().filter(|status| which(status)).count() as f64;
    vec![
        Reading { column: "forged: 4xx", unit: "answers", value: count(StatusCode::is_client_error) },
        Reading { column: "forged: 5xx", unit: "answers", value: count(StatusCode::is_server_error) },
    ]
}

fn compared(quiet: &Latencies, before: &Latencies, meanwhile: &Latencies) -> Vec<Reading> {
    let ratio = meanwhile.percentile(0.99) / before.percentile(0.99).max(1.0);
    vec![
        Reading { column: "good, failed", unit: "answers", value: (before.failed + meanwhile.failed) as f64 },
        Reading { column: "p99 in quiet", unit: "ns", value: quiet.percentile(0.99) },
        Reading { column: "p50 beside good ones", unit: "ns", value: before.percentile(0.5) },
        Reading { column: "p99 beside good ones", unit: "ns", value: before.percentile(0.99) },
        Reading { column: "p50 in the storm", unit: "ns", value: meanwhile.percentile(0.5) },
        Reading { column: "p99 in the storm", unit: "ns", value: meanwhile.percentile(0.99) },
        Reading { column: "p99: storm / good ones", unit: "ratio", value: ratio },
    ]
}
