//! The authorization server's keys, and what the resource server knows of them.

use axum::{Json, extract::State, http::StatusCode};
use portcullis::JwksStatus;
use portcullis_testkit::Endpoint;
use serde::Serialize;

use super::{Playground, Problem, Shared};

/// Both sides of the keys.
#[derive(Serialize)]
pub(super) struct Status {
    /// Whether the authorization server answers.
    running: bool,
    /// The `kid` of each key that it publishes.
    published: Vec<String>,
    /// The `kid` of the key that it signs with by default, and that rotates.
    signing: String,
    /// What that key signs by.
    algorithm: &'static str,
    /// How often its key set was asked for.
    fetches: u64,
    known: Known,
}

/// What the resource server knows; times in seconds.
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

/// The old key stays published, as servers that are careful have it.
pub(super) async fn rotate(State(playground): Shared) -> Json<Status> {
    playground.server.rotate();
    status(State(playground)).await
}

/// The old key is withdrawn, as after a theft.
pub(super) async fn withdraw(State(playground): Shared) -> Json<Status> {
    playground.server.rotate_and_withdraw();
    status(State(playground)).await
}

/// A fetch that fails is told by the status.
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
            Problem(StatusCode::SERVICE_UNAVAILABLE, format!("{address} cannot be listened on: {error}"))
        })?;
        *running = true;
    }
    Ok(playground.status(*running))
}
