//! The simplest setup: every valid token of your authorization server passes.
//!
//! ```console
//! $ JWKS_URI=https://as.example.com/jwks cargo run -p portcullis-example-axum --example simple
//! ```

use axum::{Router, routing::get};
use portcullis::{Claims, JwksService, Secure};

type Error = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let uri = std::env::var("JWKS_URI").unwrap_or_else(|_| "http://127.0.0.1:3001/jwks".to_owned());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    Ok(axum::serve(listener, app(&uri)?).await?)
}

fn app(jwks_uri: &str) -> Result<Router, Error> {
    let secure = Secure::new(JwksService::new(jwks_uri)?).realm("example");
    Ok(Router::new().route("/", get(hello)).layer(secure))
}

async fn hello(claims: Claims) -> String {
    format!("hello {}", claims.subject().unwrap_or("you"))
}

#[cfg(test)]
#[path = "support/mod.rs"]
mod support;

#[tokio::test]
async fn a_good_token_passes_and_a_bad_one_does_not() -> Result<(), Error> {
    use portcullis_testkit::{Attack, AuthorizationServer};
    let server = AuthorizationServer::start().await;
    let app = app(&server.jwks_uri())?;
    assert_eq!(support::get(&app, "/", &server.token().sign()).await?, (200, "hello alice".to_owned()));
    assert_eq!(support::get(&app, "/", &server.hostile(Attack::AlgNone)).await?.0, 403);
    Ok(())
}
