//! The test of an axum app that the pages of the test kit show, to the letter.

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    routing::get,
};
use portcullis::{Claims, ConfigurationError, Secure, Verifier};
use portcullis_testkit::{Attack, AuthorizationServer, Endpoint};
use tower::ServiceExt;

/// The app as `main` serves it, there with the issuer of its configuration.
fn app(issuer: &str) -> Result<Router, ConfigurationError> {
    let verifier = Verifier::discover(issuer)?.audience("https://api.example.com").build()?;
    Ok(Router::new().route("/", get(hello)).layer(Secure::new(verifier).scope(["read"])))
}

async fn hello(claims: Claims) -> String {
    format!("hello {}", claims.subject().unwrap_or("you"))
}

#[tokio::test]
async fn good_tokens_pass_and_no_others() {
    let server = AuthorizationServer::builder().audience("https://api.example.com").start().await.expect("a server");
    let app = app(server.issuer()).expect("an app");

    assert_eq!(status(&app, Some(&server.token().scope("read").sign())).await, StatusCode::OK);
    assert_eq!(status(&app, Some(&server.token().scope("write").sign())).await, StatusCode::FORBIDDEN);
    assert_eq!(status(&app, None).await, StatusCode::UNAUTHORIZED);
    for attack in Attack::ALL {
        let hostile = server.hostile_from(*attack, server.token().scope("read"));
        let status = status(&app, Some(&hostile)).await;
        assert!(status.is_client_error(), "{attack}: {}, got {status}", attack.description());
    }
    // No token led the app to the attacker's keys.
    assert_eq!(server.requests(Endpoint::Attacker), 0);
}

/// The status of `GET /` with this token.
async fn status(app: &Router, token: Option<&str>) -> StatusCode {
    let mut request = Request::get("/");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Body::empty()).expect("a request");
    app.clone().oneshot(request).await.expect("a response").status()
}

#[test]
fn the_pages_of_the_test_kit_show_this_test() {
    let code =
        include_str!("testing_an_axum_app.rs").split_once("\n\n").unwrap().1.split("\n#[test]\n").next().unwrap();
    let block = format!("```rust,ignore\n{code}```\n");
    let readme = include_str!("../../../portcullis-testkit/README.md");
    let docs = include_str!("../../../portcullis-testkit/src/lib.rs").lines();
    let docs: String = docs
        .filter_map(|line| line.strip_prefix("//!"))
        .fold(String::new(), |text, line| text + line.strip_prefix(' ').unwrap_or(line) + "\n");
    for (page, text) in [("README.md", readme), ("lib.rs", &docs)] {
        let first = text.find("```rust").expect("an example");
        assert!(text[first..].starts_with(&block), "the first example of {page} is not that of this file");
    }
}
