//! The authorization server's keys and the resource server's cache of them.

use axum::{Json, extract::State, http::StatusCode};
use portcullis::JwksStatus;
use portcullis_testkit::Endpoint;
use serde::Serialize;

use super::{Playground, Problem, Shared};

/// Both sides of the keys.
#[derive(Serialize)]
pub(super) struct Status {
    /// True if the authorization server answers.
    running: bool,
    /// The `kid` of each published key.
    published: Vec<String>,
    /// The `kid` of the default signing key, which rotates.
    signing: String,
    /// The algorithm of that key.
    algorithm: &'static str,
    /// The number of requests for its key set.
    fetches: u64,
    known: Known,
}

/// The resource server's cached keys; times in seconds.
#[derive(Serialize)]
struct Known {
    keys: Vec<Option<String>>,
    age: Option<u64>,
    next_refresh: Option<u64>,
    failures: u32,
    last_error: Option<String>,
}

impl From<JwksStatus> for Known {
    fn from(status: JwksStatus) -> Self {
        Self {
            age: status.age.map(|age| age.as_secs()),
            next_refresh: status.next_refresh.map(|time| time.as_secs()),
            keys: status.keys,
            failures: status.failures,
            last_error: status.last_error,
        }
    }
}

impl Playground {
    fn status(&self, running: bool) -> Json<Status> {
        let signing = self.server.signing_key();
        Json(Status {
            running,
            published: self.server.keys().iter().map(|key| key.kid().to_owned()).collect(),
            signing: signing.kid().to_owned(),
            algorithm: signing.algorithm().name(),
            fetches: self.server.requests(Endpoint::Jwks),
            known: self.jwks.status().into(),
        })
    }
}

pub(super) async fn status(State(playground): Shared) -> Json<Status> {
    let running = *playground.running.lock().await;
    playground.status(running)
}

/// Makes a new signing key; the old key stays published, as after a planned rotation.
pub(super) async fn rotate(State(playground): Shared) -> Json<Status> {
    playground.server.rotate();
    status(State(playground)).await
}

/// Makes a new signing key and withdraws the old key, as after a theft.
pub(super) async fn withdraw(State(playground): Shared) -> Json<Status> {
    playground.server.rotate_and_withdraw();
    status(State(playground)).await
}

/// Fetches the keys; the status shows a failure.
pub(super) async fn refresh(State(playground): Shared) -> Json<Status> {
    let _ = playground.jwks.refresh().await;
    status(State(playground)).await
}

pub(super) async fn stop(State(playground): Shared) -> Json<Status> {
    let mut running = playground.running.lock().await;
    playground.server.stop().await;
    *running = false;
    playground.status(*running)
}

pub(super) async fn start(State(playground): Shared) -> Result<Json<Status>, Problem> {
    let mut running = playground.running.lock().await;
    if !*running {
        playground.server.restart().await.map_err(|error| {
            let address = playground.server.address();
            Problem(StatusCode::SERVICE_UNAVAILABLE, format!("cannot listen on {address}: {error}"))
        })?;
        *running = true;
    }
    Ok(playground.status(*running))
}
