//! Portcullis decides whether an HTTP request carries an OAuth 2.0 access token that may pass.
//!
//! ```
//! use axum::{Router, routing::get};
//! use portcullis::{Claims, Secure, Verifier};
//!
//! async fn hello(claims: Claims) -> String {
//!     format!("hello {}", claims.subject().unwrap_or("you"))
//! }
//!
//! let verifier = Verifier::discover("https://login.example.com")?.audience("https://api.example.com").build()?;
//! let secure = Secure::new(verifier).realm("my-realm");
//! let app: Router = Router::new().route("/", get(hello)).layer(secure);
//! # Ok::<(), portcullis::ConfigurationError>(())
//! ```
//!
//! # The tour
//!
//! - [`Secure`] is the layer: realm, scope, claims, the places of the token, the form of refusals. [`Rules`] are the same as data.
//! - [`Claims`] and [`Access`] are for handlers: as extractors of axum and actix-web, and as a request extension.
//!   Claims are a [`json::Object`], or your own type. [`Granted`] names the scope that a handler needs.
//! - [`ProtectedResource`] describes an API once (RFC 9728): [`Secure::protecting`] publishes its metadata, and names them in
//!   challenges.
//! - [`Verifier`] verifies tokens by their rules: issuer, audience, algorithms, types, one issuer or several.
//! - [`JwksService`] keeps the keys: from a JWKS endpoint, by discovery, or local.
//!   [`JwksCache`] and [`HttpClient`] are the traits for a cache and a client of your own.
//! - [`Introspector`] asks the authorization server about opaque tokens; [`TokenStore`] shares the answers, and
//!   [`ClientAddress`] keeps one client from using up all questions.
//! - [`Refusal`] is the reason why a token is refused, with a stable [code](refusal#the-codes); an [`Explanation`] lists
//!   each check.
//!
//! A token takes one straight way: header bytes, bearer token, unverified token, signed token,
//! verified token, access. Each stage can only be made from the one before. A token that was verified before
//! takes a short cut from bearer token to verified token: a [`Verifier`] caches verified tokens, each for as long
//! as it would pass again.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `axum` | yes | the extractors; needs `tower` |
//! | `tower` | with `axum` | [`Secure`] as a layer for any tower service |
//! | `actix` | no | [`Secure`] as middleware of actix-web 4, and the extractors there |
//! | `reqwest` | yes | [`ReqwestClient`], the default HTTP client |
//! | `fips` | no | the FIPS 140-3 build of AWS-LC |
//!
//! # What operators see
//!
//! `tracing` events (a refusal at `INFO` with its code, a failed fetch at `WARN`) and metrics through the `metrics` facade, all
//! named in [`names`]. None of them contains a token or the value of a claim.

// Core: pure functions of bytes, keys and the time.
mod algorithm;
mod base64url;
mod bearer;
mod challenge;
mod check;
mod claims;
mod clock;
mod configuration_error;
mod crypto;
mod each_once;
mod epoch;
mod issuer_spelling;
mod issuer_template;
pub mod json;
mod keys;
mod loopback;
mod mcp;
pub mod names;
mod policy;
mod proof;
pub mod refusal;
mod resource;
mod token;
pub mod units;

#[cfg(doctest)]
mod forged_evidence;
#[cfg(fuzzing)]
#[doc(hidden)]
#[allow(clippy::indexing_slicing, clippy::expect_used, reason = "a fuzz target that fails is a finding")]
pub mod fuzzing;

#[cfg(portcullis_stages)]
#[doc(hidden)]
#[allow(clippy::expect_used, reason = "a benchmark that fails says so")]
pub mod stages;

/// The README, whose examples have to compile.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The page about bound tokens.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/sender-constrained.md")]
struct SenderConstrained;

// Services: they fetch, ask, cache and verify.
mod client_authentication;
mod exchange;
mod introspection;
mod jwks;
mod questions;
mod replay;
mod shared_store;
mod shown_url;
mod telemetry;
mod token_cache;
mod transport;
mod verifier;

// The judge of requests.
mod gate;

// Reports about the verdicts of all of the above.
mod explain;

// Doors: one feature each.
#[cfg(feature = "actix")]
mod actix;
#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "tower")]
mod tower;

pub use algorithm::{Algorithm, KeyType, UnknownAlgorithm};
#[doc(hidden)]
pub use bearer::CookiePart;
pub use bearer::{HeaderFields, TokenSource};
pub use challenge::RefusalBody;
pub use claims::{Claims, Confirmation, IssuerRules, TokenCacheRules, VerifiedToken};
pub use client_authentication::ClientAuthentication;
pub use clock::{Clock, SystemClock};
pub use configuration_error::ConfigurationError;
pub use epoch::epoch;
pub use exchange::{ExchangedToken, Exchanger, ExchangerBuilder, Target, TargetTokenType};
pub use explain::{
    Check, CollectedMetadata, Explanation, Fact, Outcome, ResourceCheck, ResourceCheckKind, ResourceFinding,
    ResourceInspector, ResourceOutcome, ResourceReport,
};
pub use gate::{
    Access, AccessRejection, Admitted, Anonymous, ClientAuthority, ConnectionPeer, DeclaredExchange, Dpop, Exchanging,
    ForwardedElement, Judging, Pending, Presented, ProtectedResource, Secure, Verdict,
};
pub use introspection::{IntrospectedTokens, IntrospectionForm, Introspector, IntrospectorBuilder};
pub use jwks::{InMemoryCache, IssuerMetadata, JwksBuilder, JwksCache, JwksError, JwksService, JwksStatus};
pub use keys::{JwkSet, KeyOddity, KeyProblem, KeyWarning, NotAJwkSet, Notation, SkippedKey, jwk_thumbprint};
#[doc(hidden)]
pub use loopback::is_this_machine;
pub use mcp::{Content, McpRules, MethodRule, ToolRule};
pub use policy::{ClaimRule, InvalidTokenStatus, Rules};
pub use proof::{ClientCertificate, DpopRules, DpopUse, MalformedClientCertificate, Nonces};
pub use questions::{ClientAddress, EndpointStatus, TokenStore};
pub use refusal::CheckKind;
#[doc(inline)]
pub use refusal::Refusal;
pub use replay::{ReplayStore, ReplayStoreAway};
pub use resource::{ResourceDocument, ResourceRules};
pub use token::TokenMark;
#[cfg(feature = "reqwest")]
pub use transport::ReqwestClient;
pub use transport::{HttpClient, HttpRequest, PeerAddress};
pub use verifier::{Ground, TokenCacheSize, Verifier, VerifierBuilder};

#[cfg(feature = "actix")]
pub use actix::{MiddlewareFuture, OptionalClaims, SecureMiddleware};
#[cfg(any(feature = "actix", feature = "axum"))]
pub use gate::{Granted, RequiredScope};
#[cfg(feature = "tower")]
pub use tower::{ResponseBody, ResponseFuture, SecureService};
