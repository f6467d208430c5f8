//! Test your own OAuth 2.0 API: an authorization server in your test process, a minter of good
//! and hostile access tokens, faults on demand, and a clock that you move.
//!
//! | part | purpose |
//! |---|---|
//! | [`AuthorizationServer`] | serves keys, metadata, tokens and introspection on loopback, and counts requests |
//! | [`TokenBuilder`] | signs a good token, or one that differs from it in the points that you name |
//! | [`Attack`] | lists the hostile tokens, each wrong in one point only |
//! | [`DpopClient`] | sends proofs of possession, good ones and each hostile [`DpopCase`] |
//! | [`Fault`] | breaks an [`Endpoint`]: statuses, hangs, cut-off, endless and oversized bodies |
//! | [`TestClock`] | stands still until the test moves it |
//! | [`SigningKey`] | is a real key for any [`Algorithm`] |
//!
//! # A test of an axum app
//!
//! An app is a function of its issuer. The test gives it the test kit's server, and sends requests without a socket.
//!
//! ```rust,ignore
//! use axum::{
//!     Router,
//!     body::Body,
//!     http::{Request, StatusCode},
//!     routing::get,
//! };
//! use portcullis::{Claims, ConfigurationError, Secure, Verifier};
//! use portcullis_testkit::{Attack, AuthorizationServer, Endpoint};
//! use tower::ServiceExt;
//!
//! /// The app as `main` serves it, there with the issuer of its configuration.
//! fn app(issuer: &str) -> Result<Router, ConfigurationError> {
//!     let verifier = Verifier::discover(issuer)?.audience("https://api.example.com").build()?;
//!     Ok(Router::new().route("/", get(hello)).layer(Secure::new(verifier).scope(["read"])))
//! }
//!
//! async fn hello(claims: Claims) -> String {
//!     format!("hello {}", claims.subject().unwrap_or("you"))
//! }
//!
//! #[tokio::test]
//! async fn good_tokens_pass_and_no_others() {
//!     let server = AuthorizationServer::builder().audience("https://api.example.com").start().await.expect("a server");
//!     let app = app(server.issuer()).expect("an app");
//!
//!     assert_eq!(status(&app, Some(&server.token().scope("read").sign())).await, StatusCode::OK);
//!     assert_eq!(status(&app, Some(&server.token().scope("write").sign())).await, StatusCode::FORBIDDEN);
//!     assert_eq!(status(&app, None).await, StatusCode::UNAUTHORIZED);
//!     for attack in Attack::ALL {
//!         let hostile = server.hostile_from(*attack, server.token().scope("read"));
//!         let status = status(&app, Some(&hostile)).await;
//!         assert!(status.is_client_error(), "{attack}: {}, got {status}", attack.description());
//!     }
//!     // No token led the app to the attacker's keys.
//!     assert_eq!(server.requests(Endpoint::Attacker), 0);
//! }
//!
//! /// The status of `GET /` with this token.
//! async fn status(app: &Router, token: Option<&str>) -> StatusCode {
//!     let mut request = Request::get("/");
//!     if let Some(token) = token {
//!         request = request.header("authorization", format!("Bearer {token}"));
//!     }
//!     let request = request.body(Body::empty()).expect("a request");
//!     app.clone().oneshot(request).await.expect("a response").status()
//! }
//! ```
//!
//! # Faults and new keys
//!
//! The API under test is a function here; yours answers requests.
//!
//! ```
//! use portcullis_testkit::{Attack, AuthorizationServer, Endpoint, Fault};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let server = AuthorizationServer::start().await;
//! let good = server.token().scope("read").sign();
//! let api_accepts = |token: &str| token == good; // give your API `server.issuer()`
//!
//! assert!(api_accepts(&good));
//! for attack in Attack::ALL {
//!     let hostile = server.hostile_from(*attack, server.token().scope("read"));
//!     assert!(!api_accepts(&hostile), "{attack}");
//! }
//! // No token led the API to the attacker's keys.
//! assert_eq!(server.requests(Endpoint::Attacker), 0);
//!
//! // The authorization server fails, changes keys, and recovers.
//! server.fault(Endpoint::Jwks, Fault::Hang);
//! let new_key = server.rotate_and_withdraw();
//! server.heal(Endpoint::Jwks);
//! assert_eq!(server.signing_key().kid(), new_key.kid());
//! # }
//! ```
//!
//! # Runtime
//!
//! The server runs on the tokio runtime that started it, which needs I/O and time enabled, as
//! `#[tokio::test]` has. A test that blocks its only thread blocks the server too.
//!
//! # Features
//!
//! `tls` adds https with a `CertificateAuthority` made for the test, and clients with certificates: `ClientIdentity`.
//!
//! # Not for production
//!
//! Keys live in memory, secrets are well known, a server that signs with HS256, HS384 or HS512
//! publishes its secret, and its token endpoint signs every claim that a client requests.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod algorithm;
mod attack;
mod clock;
mod der;
mod dpop;
mod encoding;
mod key;
pub mod provider;
mod server;
mod sync;
mod tenants;
#[cfg(feature = "tls")]
mod tls;
mod token;

pub use algorithm::Algorithm;
pub use attack::Attack;
pub use clock::TestClock;
pub use dpop::{DpopAttempt, DpopCase, DpopClient, ProofBuilder};
pub use key::SigningKey;
pub use provider::Provider;
pub use server::{AuthorizationServer, Builder, Endpoint, ExchangeFault, Fault};
pub use tenants::TenantServer;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use tls::{CertificateAuthority, ClientIdentity};
pub use token::TokenBuilder;
