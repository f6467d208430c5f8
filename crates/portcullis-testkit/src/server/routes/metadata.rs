use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::{Server, Shared, exchange};
use crate::algorithm::{Algorithm, Family};
use crate::provider::Provider;
use crate::sync::lock;

/// The metadata of RFC 8414 section 2, OpenID Connect Discovery section 3, RFC 9449 section 5.1 and RFC 8705 section 3.3.
///
/// Both require `authorization_endpoint`; nothing answers there.
pub(super) async fn show(State(server): Shared) -> Json<Value> {
    if let Some(metadata) = server.settings.provider.as_ref().and_then(Provider::metadata) {
        return Json(metadata.clone());
    }
    let issuer = server.settings.metadata_issuer.as_ref();
    let authentication = ["client_secret_basic", "client_secret_post"];
    let algorithms = algorithms(&server);
    Json(json!({
        "issuer": issuer.unwrap_or(&server.issuer),
        "jwks_uri": server.jwks_uri(),
        "authorization_endpoint": server.url("/authorize"),
        "token_endpoint": server.url("/token"),
        "token_endpoint_auth_methods_supported": authentication,
        "introspection_endpoint": server.url("/introspect"),
        "introspection_endpoint_auth_methods_supported": authentication,
        "introspection_signing_alg_values_supported": algorithms,
        "grant_types_supported": ["client_credentials", exchange::GRANT],
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algorithms,
        "dpop_signing_alg_values_supported": asymmetric(),
        "tls_client_certificate_bound_access_tokens": server.settings.client_certificates,
    }))
}

/// The algorithms of DPoP proofs (RFC 9449 section 5.1).
fn asymmetric() -> Vec<&'static str> {
    let proofs = Algorithm::ALL.iter().filter(|algorithm| algorithm.family() != Family::Secret);
    proofs.map(|algorithm| algorithm.name()).collect()
}

fn algorithms(server: &Server) -> BTreeSet<&'static str> {
    let keys = lock(&server.keys);
    let signers = keys.signers().iter();
    signers.map(|key| key.algorithm().name()).collect()
}
