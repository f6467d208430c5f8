//! Tokens made on request.

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};
use portcullis_testkit::{Attack, AuthorizationServer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Problem, Shared, tamperings};
use crate::authorization::ALGORITHMS;

/// The longest lifetime, in seconds.
const LONGEST: u64 = 24 * 60 * 60;

/// The time since the expiry of [`Attack::Expired`].
const EXPIRED_FOR: Duration = Duration::from_secs(3600);

/// The description of a token to make.
#[derive(Deserialize)]
pub(super) struct Order {
    scope: String,
    claims: Map<String, Value>,
    lifetime: u64,
    algorithm: String,
    /// The thumbprint of the key that the token is bound to (RFC 9449 section 6.1); `None` for a bearer token.
    jkt: Option<String>,
    /// The name of the tampering; `None` for a good token.
    tampering: Option<String>,
}

/// The token.
#[derive(Serialize)]
pub(super) struct Minted {
    token: String,
}

pub(super) async fn token(State(playground): Shared, Json(order): Json<Order>) -> Result<Json<Minted>, Problem> {
    mint(&playground.server, order).map(|token| Json(Minted { token }))
}

fn mint(server: &AuthorizationServer, order: Order) -> Result<String, Problem> {
    let algorithm = ALGORITHMS.into_iter().find(|known| known.name() == order.algorithm);
    let algorithm = algorithm.ok_or_else(|| unusable("expected one of the page's algorithms"))?;
    let attack = order.tampering.as_deref().map(tampering).transpose()?;
    if !(1..=LONGEST).contains(&order.lifetime) {
        return Err(unusable(&format!("expected a lifetime of 1 to {LONGEST} seconds, got {}", order.lifetime)));
    }
    // Each of these algorithms has a key.
    let mut token = server.token_with(algorithm).expires_in(Duration::from_secs(order.lifetime));
    if attack == Some(Attack::Expired) {
        // `exp` is in the past: `iat` is moved so that it stays before `exp`.
        token = token.issued_at(server.now() - EXPIRED_FOR - Duration::from_secs(order.lifetime));
    }
    if !order.scope.is_empty() {
        token = token.scope(order.scope);
    }
    for (name, value) in order.claims {
        token = token.claim(name, value);
    }
    if let Some(jkt) = order.jkt {
        token = token.bound_to_key(jkt);
    }
    Ok(match attack {
        Some(attack) => server.hostile_from(attack, token),
        None => token.sign(),
    })
}

fn tampering(name: &str) -> Result<Attack, Problem> {
    tamperings::find(name).ok_or_else(|| unusable("expected one of the page's tamperings"))
}

fn unusable(what: &str) -> Problem {
    Problem(StatusCode::UNPROCESSABLE_ENTITY, what.to_owned())
}
