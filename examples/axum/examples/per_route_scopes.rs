//! One layer for all routes and further rules for some of them; each token is verified once.
//!
//! ```console
//! $ JWKS_URI=https://as.example.com/jwks cargo run -p portcullis-example-axum --example per_route_scopes
//! ```

use axum::{Router, routing::get};
use portcullis::{JwksService, Secure};

type Error = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let uri = std::env::var("JWKS_URI").unwrap_or_else(|_| "http://127.0.0.1:3001/jwks".to_owned());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    Ok(axum::serve(listener, app(&uri)?).await?)
}

fn app(jwks_uri: &str) -> Result<Router, Error> {
    let secure = Secure::new(JwksService::new(jwks_uri)?).realm("orders").scope(["orders"]);
    let write = secure.clone().scope(["orders:write"]);
    let all = secure.clone().any_scope(["admin", "audit"]);
    let ops = secure.clone().claim_value("/realm_access/roles", "ops");
    Ok(Router::new()
        .route("/orders", get(|| async { "your orders" }))
        .route("/orders/new", get(|| async { "a form" }).layer(write))
        .route("/orders/all", get(|| async { "everybody's orders" }).layer(all))
        .route("/orders/queue", get(|| async { "the queue" }).layer(ops))
        .layer(secure))
}

#[cfg(test)]
#[path = "support/mod.rs"]
mod support;

#[tokio::test]
async fn each_route_asks_for_its_own() -> Result<(), Error> {
    use portcullis_testkit::AuthorizationServer;
    use serde_json::json;
    let server = AuthorizationServer::start().await;
    let app = app(&server.jwks_uri())?;
    let scoped = |scope: &str| server.token().scope(scope).sign();
    let ops = server.token().scope("orders").claim("realm_access", json!({ "roles": ["dev", "ops"] })).sign();
    let table = [
        ("/orders", scoped("orders"), 200),
        ("/orders", scoped("profile"), 403),
        ("/orders/new", scoped("orders orders:write"), 200),
        ("/orders/new", scoped("orders"), 403),
        ("/orders/new", scoped("orders:write"), 403),
        ("/orders/all", scoped("orders audit"), 200),
        ("/orders/all", scoped("orders"), 403),
        ("/orders/queue", ops, 200),
        ("/orders/queue", scoped("orders"), 403),
    ];
    for (path, token, status) in table {
        assert_eq!(support::get(&app, path, &token).await?.0, status, "{path}");
    }
    Ok(())
}
