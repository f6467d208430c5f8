//! Claims as your own type: a token with other claims is refused before the handler runs.
//!
//! ```console
//! $ ISSUER=https://as.example.com AUDIENCE=https://api.example.com \
//!     cargo run -p portcullis-example-axum --example typed_claims
//! ```

use axum::{Router, routing::get};
use portcullis::{Claims, Secure, Verifier};
use serde::Deserialize;

type Error = Box<dyn std::error::Error>;

/// The claims that this API reads.
#[derive(Deserialize)]
struct Customer {
    sub: String,
    customer_number: u64,
    #[serde(default)]
    vip: bool,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let app = app(&std::env::var("ISSUER")?, &std::env::var("AUDIENCE")?)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    Ok(axum::serve(listener, app).await?)
}

fn app(issuer: &str, audience: &str) -> Result<Router, Error> {
    let verifier = Verifier::discover(issuer)?.audience(audience).build()?;
    let routes = Router::new().route("/", get(customer)).route("/greeting", get(greeting));
    Ok(routes.layer(Secure::new(verifier).optional()))
}

async fn customer(claims: Claims<Customer>) -> String {
    format!("{} is customer {}{}", claims.sub, claims.customer_number, if claims.vip { ", a VIP" } else { "" })
}

/// Without a token the claims are `None`; a request with a bad token is still refused.
async fn greeting(claims: Option<Claims<Customer>>) -> String {
    claims.map_or("hello guest".to_owned(), |claims| format!("hello {}", claims.sub))
}

#[cfg(test)]
#[path = "support/mod.rs"]
mod support;

#[tokio::test]
async fn claims_arrive_typed() -> Result<(), Error> {
    use portcullis_testkit::AuthorizationServer;
    let server = AuthorizationServer::start().await;
    let app = app(server.issuer(), "https://api.example.com")?;
    let customer = server.token().claim("customer_number", 7).sign();
    assert_eq!(support::get(&app, "/", &customer).await?, (200, "alice is customer 7".to_owned()));
    assert_eq!(support::get(&app, "/greeting", &customer).await?.1, "hello alice");
    assert_eq!(support::get(&app, "/", &server.token().sign()).await?.0, 403, "no customer number");
    assert_eq!(support::get(&app, "/", "").await?.0, 401);
    Ok(())
}
