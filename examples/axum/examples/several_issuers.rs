//! Tokens of several authorization servers, each with its own rules.
//!
//! ```console
//! $ cargo run -p portcullis-example-axum --example several_issuers -- https://login.example.com https://partner.example.org
//! ```

use axum::{Router, routing::get};
use portcullis::{Claims, Secure, Verifier};

type Error = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let issuers: Vec<_> = std::env::args().skip(1).collect();
    let app = app(&issuers)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    Ok(axum::serve(listener, app).await?)
}

fn app(issuers: &[String]) -> Result<Router, Error> {
    // Each issuer's keys come from its own metadata and verify its own tokens only.
    let branches: Result<Vec<_>, _> = issuers.iter().map(|issuer| Verifier::discover(issuer)).collect();
    let branches = branches?.into_iter().map(|branch| branch.audience("https://api.example.com"));
    let verifier = Verifier::any_of(branches)?;
    Ok(Router::new().route("/", get(who)).layer(Secure::new(verifier)))
}

async fn who(claims: Claims) -> String {
    format!("{} of {}", claims.subject().unwrap_or("somebody"), claims.issuer().unwrap_or("somewhere"))
}

#[cfg(test)]
#[path = "support/mod.rs"]
mod support;

#[tokio::test]
async fn each_issuers_tokens_pass_and_a_strangers_do_not() -> Result<(), Error> {
    use portcullis_testkit::AuthorizationServer;
    let (a, b, stranger) =
        tokio::join!(AuthorizationServer::start(), AuthorizationServer::start(), AuthorizationServer::start());
    let app = app(&[a.issuer().to_owned(), b.issuer().to_owned()])?;
    for server in [&a, &b] {
        let expected = (200, format!("alice of {}", server.issuer()));
        assert_eq!(support::get(&app, "/", &server.token().sign()).await?, expected);
    }
    assert_eq!(support::get(&app, "/", &stranger.token().sign()).await?.0, 403);
    assert_eq!(support::get(&app, "/", &stranger.token().issuer(a.issuer()).sign()).await?.0, 403);
    Ok(())
}
