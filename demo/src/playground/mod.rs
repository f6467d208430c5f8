//! The playground: a page that makes tokens, good and hostile, sends them, and shows why they pass or are refused.
//!
//! | request | answer |
//! |---|---|
//! | `GET /` | the page |
//! | `GET /playground/status` | the authorization server's keys and the resource server's cache of them |
//! | `POST /playground/token` | the requested token |
//! | `POST /playground/explain` | the reason why a token passes or is refused at an endpoint |
//! | `POST /playground/resource` | the mistakes in the metadata of a protected resource |
//! | `POST /playground/{rotate,withdraw,refresh,stop,start}` | the status after that action |
//!
//! It signs tokens for everybody, so it runs on loopback only and answers its own page only (`guard`).

mod explain;
mod guard;
mod keys;
mod mint;
mod page;
mod resource;
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

/// The servers that the playground controls.
struct Playground {
    guards: Guards,
    server: AuthorizationServer,
    jwks: JwksService,
    /// True if the authorization server listens; locked while that changes.
    running: Mutex<bool>,
}

/// The playground, shared by the handlers.
type Shared = axum::extract::State<Arc<Playground>>;

/// Returns true if this address has a playground: on loopback only.
pub(crate) fn is_for(address: SocketAddr) -> bool {
    address.ip().is_loopback()
}

/// The page and its endpoints.
pub(crate) fn router(address: SocketAddr, guards: Guards, server: AuthorizationServer, jwks: JwksService) -> Router {
    let playground = Playground { guards, server, jwks, running: Mutex::new(true) };
    Router::new()
        .route("/", get(page::html))
        .route("/playground/page.js", get(page::script))
        .route("/playground/client.mjs", get(page::client))
        .route("/playground/style.css", get(page::style))
        .route("/playground/icon.svg", get(page::icon))
        .route("/playground/status", get(keys::status))
        .route("/playground/token", post(mint::token))
        .route("/playground/explain", post(explain::explain))
        .route("/playground/resource", post(resource::inspect))
        .route("/playground/rotate", post(keys::rotate))
        .route("/playground/withdraw", post(keys::withdraw))
        .route("/playground/refresh", post(keys::refresh))
        .route("/playground/stop", post(keys::stop))
        .route("/playground/start", post(keys::start))
        .with_state(Arc::new(playground))
        .layer(middleware::from_fn(move |request, next| guard::admit(address, request, next)))
}

/// An error answer: status and text.
struct Problem(StatusCode, String);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}
