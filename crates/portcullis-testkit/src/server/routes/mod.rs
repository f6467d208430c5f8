//! The HTTP side: one file for each endpoint.

mod attacker;
mod client;
mod dpop;
mod error;
mod exchange;
mod introspect;
mod jwks;
mod metadata;
mod parameters;
mod rotate;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, any, get, post};

use super::desk::attend;
use super::endpoint::Endpoint;
use super::state::State as Server;
use crate::provider::Provider;

/// The server, shared by the handlers.
type Shared = axum::extract::State<Arc<Server>>;

/// The router, with each endpoint behind its desk.
pub(super) fn router(server: &Arc<Server>) -> Router {
    let settings = &server.settings;
    let path = &settings.path;
    let provider = settings.provider.as_ref();
    let metadata = provider.and_then(Provider::metadata_path);
    let metadata = metadata.unwrap_or_else(|| format!("{path}/.well-known/openid-configuration"));
    let jwks = provider.and_then(Provider::jwks_path).map_or_else(|| format!("{path}/jwks"), str::to_owned);
    let introspect = provider.and_then(Provider::introspection_path);
    let introspect = introspect.map_or_else(|| format!("{path}/introspect"), str::to_owned);
    let openid = on_if(settings.openid_configuration, get(metadata::show));
    let oauth = on_if(settings.oauth_metadata, get(metadata::show));
    let rotate = on_if(settings.rotation_endpoint, post(rotate::rotate));
    let routes = [
        (jwks, Endpoint::Jwks, get(jwks::publish)),
        (metadata, Endpoint::OpenIdConfiguration, openid),
        (format!("/.well-known/oauth-authorization-server{path}"), Endpoint::OAuthMetadata, oauth),
        (format!("{path}/token"), Endpoint::Token, post(token::issue)),
        (introspect, Endpoint::Introspection, post(introspect::introspect)),
        (format!("{path}/rotate"), Endpoint::Rotate, rotate),
        (format!("{path}/attacker/jwks"), Endpoint::Attacker, get(attacker::jwks)),
        (format!("{path}/attacker/certificate"), Endpoint::Attacker, get(attacker::certificate)),
    ];
    let mut router = Router::new();
    for (path, endpoint, handler) in routes {
        let desk = Arc::clone(server.desks.at(endpoint));
        router = router.route(&path, handler.layer(from_fn_with_state(desk, attend)));
    }
    router.with_state(Arc::clone(server))
}

/// The handler, or 404 for everything.
fn on_if(on: bool, handler: MethodRouter<Arc<Server>>) -> MethodRouter<Arc<Server>> {
    if on { handler } else { any(async || StatusCode::NOT_FOUND) }
}
