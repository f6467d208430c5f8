//! 1,000 requests at once with one new opaque token.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use figures::Figure;
use harness::{Result, opaque_token};
use portcullis_testkit::{Endpoint, Fault};
use tokio::task::JoinSet;

use super::{
    Bench, INTROSPECTIONS, OURS, RUSH,
    question::{self, ORDER},
    servers::Gateway,
};
use crate::{programs::Build, results::Results};

/// The number of connections that share the requests.
const CONNECTIONS: usize = 10;
/// The number of open requests on each connection.
const EACH: usize = 100;

/// The response time of the authorization server, as of a busy server on another machine.
const INTROSPECTION: Duration = Duration::from_millis(100);

pub(super) fn measure(bench: &Bench<'_>, results: &mut Results) -> Result {
    let gateway = Gateway::start(bench, Build::This)?;
    let issuer = &bench.tokens.issuer;
    issuer.fault(Endpoint::Introspection, Fault::Delay(INTROSPECTION));
    let readings: Result<Vec<_>> = (0..bench.plan.storms)
        .map(|number| {
            let token = opaque_token(issuer, number);
            issuer.reset_requests();
            let (passed, took) = bench.runtime.block_on(rush(gateway.ext_authz, &token))?;
            Ok((issuer.requests(Endpoint::Introspection) as f64, passed as f64, took.as_nanos() as f64))
        })
        .collect();
    issuer.heal(Endpoint::Introspection);
    let readings = readings?;
    let mut add = |column, unit, windows| results.add(Figure::of(RUSH, OURS, column, unit, windows));
    add(INTROSPECTIONS, "introspections", readings.iter().map(|(introspections, ..)| *introspections).collect());
    add("passed", "requests", readings.iter().map(|(_, passed, _)| *passed).collect());
    add("all answered within", "ns", readings.iter().map(|(.., took)| *took).collect());
    Ok(())
}

/// The number of requests that passed, and the time until the last answer.
async fn rush(server: SocketAddr, token: &str) -> Result<(usize, Duration)> {
    let mut clients = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        clients.push(question::connect(server).await?);
    }
    let started = Instant::now();
    let mut asking = JoinSet::new();
    for client in clients.iter().flat_map(|client| std::iter::repeat_n(client, EACH)) {
        let (mut client, asked) = (client.clone(), question::about(&ORDER, token));
        asking.spawn(async move { question::passes(&mut client, &asked).await });
    }
    let answers = asking.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    Ok((answers.into_iter().filter(|passed| *passed).count(), started.elapsed()))
}
