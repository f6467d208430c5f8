//! 200 first requests at once: the numbers of key fetches and of served requests.

use std::time::Instant;

use harness::{Result, access_token};
use portcullis_testkit::{Algorithm, Endpoint};
use tokio::task::JoinSet;

use crate::{
    client::{Bearer, Connection},
    turns::{Fresh, Reading},
};

pub(crate) const TABLE: &str = "storm: 200 first requests";

const REQUESTS: usize = 200;

/// Opens all connections first, then sends a request on each.
pub(crate) async fn storm(fresh: &Fresh) -> Result<Vec<Reading>> {
    let bearer = Bearer::new(&access_token(&fresh.issuer, Algorithm::RS256, 0))?;
    let connections = Connection::open_many(fresh.server.address(), REQUESTS).await?;
    let started = Instant::now();
    let mut asking = JoinSet::new();
    for mut connection in connections {
        let bearer = bearer.clone();
        asking.spawn(async move { connection.ask(&bearer).await });
    }
    let answers = asking.join_all().await;
    let took = started.elapsed();
    let good = answers.iter().filter(|answer| answer.as_ref().is_ok_and(|status| status.is_success()));
    Ok(vec![
        Reading { column: "fetches", unit: "fetches", value: fresh.issuer.requests(Endpoint::Jwks) as f64 },
        Reading { column: "answered 200", unit: "answers", value: good.count() as f64 },
        Reading { column: "all answered within", unit: "ns", value: took.as_nanos() as f64 },
    ])
}
