//! The playground: a page that makes tokens, good and hostile, sends them, and shows why they pass or are refused.
//!
//! | request | answer |
//! |---|---|
//! | `GET /` | the page |
//! | `GET /playground/status` | the authorization server's keys, and what the resource server knows of them |
//! | `POST /playground/token` | a token as it was ordered |
//! | `POST /playground/explain` | why a token passes or is refused at an endpoint |
//! | `POST /playground/{rotate,withdraw,refresh,stop,start}` | does so, and answers with the status |
//!
//! It mints tokens: it is there on loopback only, and for its own page only (`guard`).

mod explain;
mod guard;
mod keys;
mod mint;
mod page;
mod tamperings;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use portcullis::JwksService;
use portcullis_testkit::AuthorizationServer;
use serde_json::json;
use tokio::sync::Mutex;

use crate::resource::Guards;

/// What the playground plays with.
struct Playground {
    guards: Guards,
    server: AuthorizationServer,
    jwks: JwksService,
    /// Whether the authorization server listens; locked while that changes.
    running: Mutex<bool>,
}

/// What handlers are given of it.
type Shared = axum::extract::State<Arc<Playground>>;

/// Whether there is a playground on this address: on loopback only.
pub(crate) fn is_for(address: SocketAddr) -> bool {
    address.ip().is_loopback()
}

/// The page and what it asks.
pub(crate) fn router(address: SocketAddr, guards: Guards, server: AuthorizationServer, jwks: JwksService) -> Router {
    let playground = Playground { guards, server, jwks, running: Mutex::new(true) };
    Router::new()
        .route("/", get(page::html))
        .route("/playground/page.js", get(page::script))
        .route("/playground/style.css", get(page::style))
        .route("/playground/icon.svg", get(page::icon))
        .route("/playground/status", get(keys::status))
        .route("/playground/token", post(mint::token))
        .route("/playground/explain", post(explain::explain))
        .route("/playground/rotate", post(keys::rotate))
        .route("/playground/withdraw", post(keys::withdraw))
        .route("/playground/refresh", post(keys::refresh))
        .route("/playground/stop", post(keys::stop))
        .route("/playground/start", post(keys::start))
        .with_state(Arc::new(playground))
        .layer(middleware::from_fn(move |request, next| guard::admit(address, request, next)))
}

/// Something that was asked for in a way that it cannot be done.
struct Problem(StatusCode, String);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}
